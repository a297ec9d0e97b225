namespace XComposer2.Native.Kernels;

/// <summary>How much work the cases have; widths are the model's.</summary>
public sealed record CaseSizes
{
    /// <summary>What figures are made of.</summary>
    public static CaseSizes Full { get; } = new()
    {
        DecodeRows = [1, 2, 4, 8, 16, 64],
        // A short turn, a long one, a picture with its question, and the longest step.
        PrefillSteps = [new(64, 0), new(512, 0), new(512, 512), new(1300, 1225), new(2048, 0), new(2048, 1225)],
        Contexts = [1300, 4096],
        ReadBytes = 1L << 30,
        MmaSteps = 1 << 14,
    };

    /// <summary>Shows that all runs, on an emulated device too. Its figures say nothing.</summary>
    public static CaseSizes Quick { get; } = new()
    {
        DecodeRows = [2],
        PrefillSteps = [new(33, 20)],
        Contexts = [70],
        ReadBytes = 1L << 20,
        MmaSteps = 2,
    };

    /// <summary>Rows of decode steps, each of a sequence of its own.</summary>
    public required IReadOnlyList<int> DecodeRows { get; init; }

    public required IReadOnlyList<PrefillStep> PrefillSteps { get; init; }

    /// <summary>Tokens of a sequence when attention has seen the step.</summary>
    public required IReadOnlyList<int> Contexts { get; init; }

    /// <summary>What is read to find the limit of reading: much more than the L2 cache holds.</summary>
    public required long ReadBytes { get; init; }

    /// <summary>Products in a row to find the limit of arithmetic.</summary>
    public required int MmaSteps { get; init; }

    /// <summary>The longest sequence.</summary>
    public int LongestContext => Math.Max(Contexts.Max(), PrefillSteps.Max(step => step.Rows));
}

/// <summary>Rows of one sequence that are computed together.</summary>
/// <param name="Rows">All of them.</param>
/// <param name="VisualRows">Of these, the first ones, which are of pictures and take Partial LoRA.</param>
public readonly record struct PrefillStep(int Rows, int VisualRows);
