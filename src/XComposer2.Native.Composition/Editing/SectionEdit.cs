namespace XComposer2.Native.Composition;

/// <summary>What a model does to a section.</summary>
public enum SectionEdit
{
    /// <summary>Writes it anew, with given material.</summary>
    Rewrite,

    /// <summary>Makes it longer, with given material.</summary>
    Expand,

    /// <summary>Makes it shorter.</summary>
    Abbreviate,

    /// <summary>Writes a section before it, from an outline.</summary>
    InsertBefore,

    /// <summary>Writes a section after it, from an outline.</summary>
    InsertAfter,
}
