using XComposer2.Native.Runtime;
using Xunit;

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

    /// <summary>Added to logits.</summary>
    public TokenBias[] Biases { get; init; } = [];

    public float FrequencyPenalty { get; init; }

    public float PresencePenalty { get; init; }

    /// <summary>Bits of the ids that are possible in every step; null for all.</summary>
    public uint[]? Allowed { get; init; }

    public bool Adjusts => Biases.Length > 0 || FrequencyPenalty != 0 || PresencePenalty != 0;

    /// <summary>What the processor's sampler does with it.</summary>
    public SamplingRequest Request => new()
    {
        Parameters = Parameters, Seed = Seed, Biases = Biases, FrequencyPenalty = FrequencyPenalty, PresencePenalty = PresencePenalty,
        Constraint = Allowed is null ? null : new Unchanging(Allowed),
    };

    private sealed class Unchanging(uint[] allowed) : ITokenConstraint
    {
        public ReadOnlySpan<uint> Allowed => allowed;

        public void Accept(int id) => Assert.True((allowed[id / 32] >> (id % 32) & 1) != 0);
    }
}
