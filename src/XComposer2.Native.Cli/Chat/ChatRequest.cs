using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 chat</c> was asked for.</summary>
internal sealed record ChatRequest
{
    /// <summary>A checkpoint folder; null where the command line names none.</summary>
    public string? ModelPath { get; init; }

    /// <summary>Null: standard input, or a conversation where that is a terminal. "-": standard input.</summary>
    public string? Prompt { get; init; }

    public IReadOnlyList<string> Images { get; init; } = [];

    public DeviceOptions Device { get; init; } = new();

    public WeightQuantization Quantization { get; init; }

    public int? ContextLength { get; init; }

    public SessionOptions Session { get; init; } = new();

    public GenerationOptions Generation { get; init; } = new();

    /// <summary>One JSON object instead of text.</summary>
    public bool Json { get; init; }

    /// <summary>Timings on standard error.</summary>
    public bool Verbose { get; init; }
}
