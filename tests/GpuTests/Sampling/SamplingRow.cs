using XComposer2.Native.Runtime;

namespace XComposer2.Native.GpuTests;

/// <summary>One answer that is sampled.</summary>
/// <param name="Parameters">How.</param>
/// <param name="Seed">Of the draw.</param>
/// <param name="Logits">[steps][vocabulary].</param>
internal sealed record SamplingRow(SamplingParameters Parameters, ulong Seed, float[][] Logits)
{
    public static readonly SamplingParameters Plain = new(false, 1, 0, 1, 1);

    public static readonly SamplingParameters Greedy = new(true, 1, 0, 1, 1);

    /// <summary>Bits of ids that count as chosen before; null for none.</summary>
    public IReadOnlyCollection<int>? Previous { get; init; }
}
