namespace XComposer2.Native.Composition;

/// <summary>How text stands out.</summary>
internal enum TextEmphasis
{
    None,
    Light,
    Strong,
}
