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

    /// <summary>The change, its picture not read yet; null lists the article.</summary>
    public ArticleEdit? Edit { get; init; }

    /// <summary>Path of the picture's file.</summary>
    public string? Image { get; init; }

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

/// <summary>The options of each operation of <c>xc2 edit</c>.</summary>
internal static class EditRules
{
    /// <exception cref="UsageException">A required option is missing, or an option belongs to another operation.</exception>
    public static void Require(EditRequest request)
    {
        if (request.Edit is not { } edit)
            return;
        (EditOperands taken, EditOperands required) = ArticleEdit.OperandsOf(edit.Operation);
        Check("--section", EditOperands.Section, edit.Section is not null);
        Check("--instruction", EditOperands.Instruction, edit.Instruction is not null);
        Check("--caption", EditOperands.Caption, edit.Caption is not null);
        Check("--alt", EditOperands.AlternativeText, edit.AlternativeText is not null);
        Check("--title", EditOperands.Title, edit.Title is not null);
        Check("--to", EditOperands.Target, edit.Target is not null);
        Check("--image", EditOperands.Picture, request.Image is not null);
        Check("--candidate", EditOperands.Candidate, edit.Candidate is not null);
        Check("--figures", EditOperands.Figures, edit.Figures is not null);
        request.Pictures.Require();
        Check("--gallery or --picture-service", EditOperands.Source, !request.Pictures.IsNone);

        void Check(string option, EditOperands operand, bool isGiven)
        {
            if (required.HasFlag(operand) && !isGiven)
                throw new UsageException($"--op {ArticleEdit.NameOf(edit.Operation)} needs {option}");
            if (!taken.HasFlag(operand) && isGiven)
                throw new UsageException($"--op {ArticleEdit.NameOf(edit.Operation)} does not take {option}");
        }
    }
}
