namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 edit --op</c> names.</summary>
internal enum EditOperation
{
    Rewrite,
    Expand,
    Abbreviate,
    InsertBefore,
    InsertAfter,
    SetText,
    RemoveSection,
    Illustrate,
    FindFigure,
    ChooseFigure,
    ReplaceFigure,
    RemoveFigure,
    Undo,
    Redo,
}
