using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Where the scratch of <see cref="DecodeAttention"/> holds what: counters of arrivals first, then the partial maxima and sums, then the partial outputs.
/// It depends on the most that any launch has, not on the launch: a counter never lies where another launch left numbers.</summary>
/// <param name="Heads">Head layout.</param>
/// <param name="Sequences">The most of a launch.</param>
/// <param name="Runs">The most of a launch.</param>
public readonly record struct DecodeAttentionScratch(AttentionGeometry Heads, int Sequences, int Runs)
{
    private const int AlignmentBytes = 16, StateBytes = 2 * sizeof(float);

    public long StatesOffsetBytes => Align((long)Sequences * Heads.KeyValueHeads * sizeof(uint));

    public long OutputsOffsetBytes => Align(StatesOffsetBytes + (Partials * StateBytes));

    public long TotalBytes => OutputsOffsetBytes + (Partials * Heads.HeadSize * sizeof(float));

    private long Partials => (long)Sequences * Heads.QueryHeads * Runs;

    private static long Align(long bytes) => (bytes + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;
}
