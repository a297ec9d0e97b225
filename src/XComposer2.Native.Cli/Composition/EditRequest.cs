using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>Options of <c>xc2 edit</c>.</summary>
internal sealed record EditRequest
{
    /// <summary>A checkpoint folder; null if none is given.</summary>
    public required string? ModelPath { get; init; }

    public required EngineOptions Engine { get; init; }

    public required ComposerOptions Composer { get; init; }

    /// <summary>Folder of the article.</summary>
    public required string? Folder { get; init; }

    /// <summary>Null lists the article.</summary>
    public EditOperation? Operation { get; init; }

    /// <summary>Number of the section, from 1.</summary>
    public int? Section { get; init; }

    public string? Instruction { get; init; }

    public string? Caption { get; init; }

    /// <summary>Alternative text of a figure.</summary>
    public string? AlternativeText { get; init; }

    public string? Title { get; init; }

    /// <summary>New number of a moved section, from 1.</summary>
    public int? Target { get; init; }

    /// <summary>Path of a file.</summary>
    public string? Image { get; init; }

    /// <summary>Number of the candidate, from 1; null lets the model choose.</summary>
    public int? Candidate { get; init; }

    /// <summary>Null leaves the number to the model.</summary>
    public int? Figures { get; init; }

    /// <summary>Reads own pictures.</summary>
    public required PictureReader Reader { get; init; }

    /// <summary>Handling of the EXIF orientation.</summary>
    public Model.ExifOrientation Orientation { get; init; }

    public required PictureSourceRequest Pictures { get; init; }

    /// <summary>How pictures are stored; null keeps the article's setting.</summary>
    public PictureOptions? Storage { get; init; }

    public ulong? Seed { get; init; }

    public bool Json { get; init; }

    public bool Verbose { get; init; }
}

/// <summary>Values of <c>xc2 edit --op</c>.</summary>
internal enum EditOperation
{
    Rewrite,
    Expand,
    Abbreviate,
    InsertBefore,
    InsertAfter,
    SetText,
    RemoveSection,
    MoveSection,
    SetTitle,
    SetCaption,
    Illustrate,
    FindFigure,
    ChooseFigure,
    ReplaceFigure,
    RemoveFigure,
    Undo,
    Redo,
}

/// <summary>The options of each operation of <c>xc2 edit</c>.</summary>
internal static class EditRules
{
    /// <summary>Names on the command line.</summary>
    public static IReadOnlyList<(string Word, EditOperation Value)> Words { get; } =
    [
        ("rewrite", EditOperation.Rewrite), ("expand", EditOperation.Expand), ("abbreviate", EditOperation.Abbreviate),
        ("insert-before", EditOperation.InsertBefore), ("insert-after", EditOperation.InsertAfter), ("set-text", EditOperation.SetText),
        ("remove-section", EditOperation.RemoveSection), ("move-section", EditOperation.MoveSection), ("set-title", EditOperation.SetTitle), ("set-caption", EditOperation.SetCaption),
        ("illustrate", EditOperation.Illustrate), ("find-figure", EditOperation.FindFigure), ("choose-figure", EditOperation.ChooseFigure),
        ("replace-figure", EditOperation.ReplaceFigure), ("remove-figure", EditOperation.RemoveFigure), ("undo", EditOperation.Undo), ("redo", EditOperation.Redo),
    ];

    public static string Name(EditOperation operation) => Words.First(word => word.Value == operation).Word;

    /// <summary>The corresponding section edit.</summary>
    public static SectionEdit Section(EditOperation operation) => operation switch
    {
        EditOperation.Rewrite => SectionEdit.Rewrite,
        EditOperation.Expand => SectionEdit.Expand,
        EditOperation.Abbreviate => SectionEdit.Abbreviate,
        EditOperation.InsertBefore => SectionEdit.InsertBefore,
        EditOperation.InsertAfter => SectionEdit.InsertAfter,
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "not an edit of a section"),
    };

    /// <exception cref="UsageException">A required option is missing, or an option belongs to another operation.</exception>
    public static void Require(EditRequest request)
    {
        if (request.Operation is not { } operation)
        {
            if (request.Section is not null)
                throw new UsageException($"--op is missing: {string.Join(", ", Words.Select(word => word.Word))}");
            return;
        }

        bool wantsSection = operation is not (EditOperation.Illustrate or EditOperation.SetTitle or EditOperation.Undo or EditOperation.Redo);
        Needs(operation, "--section", wantsSection, request.Section is not null, isRequired: true);
        bool inserts = operation is EditOperation.InsertBefore or EditOperation.InsertAfter or EditOperation.SetText;
        bool wantsInstruction = inserts || operation is EditOperation.Rewrite or EditOperation.Expand;
        Needs(operation, "--instruction", wantsInstruction, request.Instruction is not null, isRequired: inserts);
        Needs(operation, "--caption", operation is EditOperation.FindFigure or EditOperation.ReplaceFigure or EditOperation.SetCaption, request.Caption is not null, isRequired: false);
        Needs(operation, "--alt", operation is EditOperation.ReplaceFigure or EditOperation.SetCaption, request.AlternativeText is not null, isRequired: false);
        Needs(operation, "--title", operation == EditOperation.SetTitle, request.Title is not null, isRequired: true);
        Needs(operation, "--to", operation == EditOperation.MoveSection, request.Target is not null, isRequired: true);
        Needs(operation, "--image", operation == EditOperation.ReplaceFigure, request.Image is not null, isRequired: true);
        Needs(operation, "--candidate", operation == EditOperation.ChooseFigure, request.Candidate is not null, isRequired: false);
        Needs(operation, "--figures", operation == EditOperation.Illustrate, request.Figures is not null, isRequired: false);
        request.Pictures.Require();
        Needs(operation, "--gallery or --picture-service", operation is EditOperation.FindFigure or EditOperation.Illustrate, !request.Pictures.IsNone, isRequired: operation == EditOperation.FindFigure);
    }

    private static void Needs(EditOperation operation, string option, bool belongs, bool isGiven, bool isRequired)
    {
        if (belongs && isRequired && !isGiven)
            throw new UsageException($"--op {Name(operation)} needs {option}");
        if (!belongs && isGiven)
            throw new UsageException($"--op {Name(operation)} does not take {option}");
    }
}
