using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 compose</c> was asked for.</summary>
internal sealed record ComposeRequest
{
    /// <summary>A checkpoint folder; null where the command line names none.</summary>
    public required string? ModelPath { get; init; }

    public required EngineOptions Engine { get; init; }

    public required ComposerOptions Composer { get; init; }

    /// <summary>"-" is standard input; null where a title is given.</summary>
    public string? Instruction { get; init; }

    public string? Title { get; init; }

    /// <summary>A file.</summary>
    public string? Outline { get; init; }

    /// <summary>Files.</summary>
    public IReadOnlyList<string> Material { get; init; } = [];

    /// <summary>Files.</summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    public required PictureSourceRequest Pictures { get; init; }

    /// <summary>Null leaves it to the model.</summary>
    public int? Figures { get; init; }

    public ulong? Seed { get; init; }

    /// <summary>Null for the next free name.</summary>
    public string? Folder { get; init; }

    public bool Force { get; init; }

    public bool Json { get; init; }

    public bool Verbose { get; init; }
}
