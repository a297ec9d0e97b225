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
    public ArticleOperation? Operation { get; init; }

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

/// <summary>The options of each operation of <c>xc2 edit</c>.</summary>
internal static class EditRules
{
    /// <exception cref="UsageException">A required option is missing, or an option belongs to another operation.</exception>
    public static void Require(EditRequest request)
    {
        if (request.Operation is not { } operation)
        {
            if (request.Section is not null)
                throw new UsageException($"--op is missing: {string.Join(", ", ArticleEdit.Words.Select(word => word.Word))}");
            return;
        }

        (EditOperands taken, EditOperands required) = ArticleEdit.OperandsOf(operation);
        Check("--section", EditOperands.Section, request.Section is not null);
        Check("--instruction", EditOperands.Instruction, request.Instruction is not null);
        Check("--caption", EditOperands.Caption, request.Caption is not null);
        Check("--alt", EditOperands.AlternativeText, request.AlternativeText is not null);
        Check("--title", EditOperands.Title, request.Title is not null);
        Check("--to", EditOperands.Target, request.Target is not null);
        Check("--image", EditOperands.Picture, request.Image is not null);
        Check("--candidate", EditOperands.Candidate, request.Candidate is not null);
        Check("--figures", EditOperands.Figures, request.Figures is not null);
        request.Pictures.Require();
        Check("--gallery or --picture-service", EditOperands.Source, !request.Pictures.IsNone);

        void Check(string option, EditOperands operand, bool isGiven)
        {
            if (required.HasFlag(operand) && !isGiven)
                throw new UsageException($"--op {ArticleEdit.NameOf(operation)} needs {option}");
            if (!taken.HasFlag(operand) && isGiven)
                throw new UsageException($"--op {ArticleEdit.NameOf(operation)} does not take {option}");
        }
    }
}
