namespace XComposer2.Native.Composition;

/// <summary>A step on the way to an illustrated article.</summary>
public enum CompositionStep
{
    /// <summary>The text is written.</summary>
    Write,

    /// <summary>The model says after which sections figures belong.</summary>
    Place,

    /// <summary>The model says what each figure is to show.</summary>
    Caption,

    /// <summary>A source is searched for pictures of a caption.</summary>
    Search,

    /// <summary>The model chooses among candidates.</summary>
    Choose,

    /// <summary>One section is edited.</summary>
    Edit,
}
