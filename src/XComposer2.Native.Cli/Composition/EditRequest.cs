using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 edit</c> was asked for.</summary>
internal sealed record EditRequest
{
    /// <summary>A checkpoint folder; null where the command line names none.</summary>
    public required string? ModelPath { get; init; }

    public required EngineOptions Engine { get; init; }

    public required ComposerOptions Composer { get; init; }

    /// <summary>Of the article.</summary>
    public required string? Folder { get; init; }

    /// <summary>Null lists the article.</summary>
    public EditOperation? Operation { get; init; }

    /// <summary>From 1.</summary>
    public int? Section { get; init; }

    public string? Instruction { get; init; }

    public string? Caption { get; init; }

    /// <summary>A file.</summary>
    public string? Image { get; init; }

    /// <summary>From 1; null lets the model choose.</summary>
    public int? Candidate { get; init; }

    /// <summary>Null leaves it to the model.</summary>
    public int? Figures { get; init; }

    public required PictureSourceRequest Pictures { get; init; }

    public ulong? Seed { get; init; }

    public bool Json { get; init; }

    public bool Verbose { get; init; }
}
