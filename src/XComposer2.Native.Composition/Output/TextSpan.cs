namespace XComposer2.Native.Composition;

/// <summary>A run of text in one emphasis.</summary>
/// <param name="Text">Plain: nothing in it is markup. Not empty.</param>
/// <param name="Emphasis">How it stands out.</param>
internal readonly record struct TextSpan(string Text, TextEmphasis Emphasis);
