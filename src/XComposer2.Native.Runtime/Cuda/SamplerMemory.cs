using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>State of the answers on the device, and what their choices tell the host.</summary>
internal sealed class SamplerMemory : IDisposable
{
    private readonly CudaStream stream;
    private readonly DeviceMemory memory;
    private readonly DeviceMemory scratch;
    private readonly PinnedMemory told;
    private readonly PinnedMemory staging;
    private readonly PinnedMemory biases;
    private readonly CudaEvent[] begun;
    private readonly CudaEvent biased;
    private readonly SamplerLayout layout;
    private readonly int slots;

    public SamplerMemory(CudaDeviceState device, int slots, SampleToken sampling)
    {
        this.slots = slots;
        layout = new SamplerLayout(slots, sampling);
        stream = device.Stream;
        memory = DeviceMemory.Allocate(device.Context, layout.StateBytes);
        scratch = DeviceMemory.Allocate(device.Context, layout.ScratchBytes);
        staging = PinnedMemory.Allocate(device.Context, slots * layout.StagingBytes);
        biases = PinnedMemory.Allocate(device.Context, layout.AdjustmentBytes);
        biased = CudaEvent.Create(device.Context);
        told = PinnedMemory.Allocate(device.Context, ITokenSampler.MaximumPending * PlaceBytes);
        for (int place = 0; place < ITokenSampler.MaximumPending; place++)
        {
            Tokens(place).Fill(SampledToken.None);
            Ranked(place).Fill(SampledToken.None);
        }

        begun = new CudaEvent[slots];
        for (int slot = 0; slot < slots; slot++)
            begun[slot] = CudaEvent.Create(device.Context);
        stream.Fill(memory.Span, 0);
    }

    /// <summary><see cref="SamplingState"/> [slots].</summary>
    public DevicePointer States => memory.Span.Pointer;

    /// <summary>Bits of the ids chosen so far, of each slot.</summary>
    public DevicePointer Seen => memory.Span.Pointer + layout.SeenOffsetBytes;

    /// <summary>Bits of the ids that may be chosen next, of each slot.</summary>
    public DevicePointer Allowed => memory.Span.Pointer + layout.AllowedOffsetBytes;

    /// <summary><see cref="Adjustment"/>s of each slot.</summary>
    public DevicePointer Adjustments => memory.Span.Pointer + layout.AdjustmentOffsetBytes;

    /// <summary>Blocks of each row that have arrived.</summary>
    public DevicePointer Arrivals => memory.Span.Pointer + layout.ArrivalOffsetBytes;

    /// <summary>Changed logits of each row.</summary>
    public DevicePointer Keys => scratch.Span.Pointer;

    /// <summary>Largest tokens of each row's segments.</summary>
    public DevicePointer Maxima => scratch.Span.Pointer + layout.MaximaOffsetBytes;

    /// <summary>Sums of each row's parts.</summary>
    public DevicePointer Parts => scratch.Span.Pointer + layout.PartOffsetBytes;

    private long LogProbsOffsetBytes => MemoryPlanner.Align((long)slots * Unsafe.SizeOf<SampledToken>());

    private long LikelyOffsetBytes => LogProbsOffsetBytes + MemoryPlanner.Align((long)slots * Unsafe.SizeOf<LogProbResult>());

    private long CountsOffsetBytes => LikelyOffsetBytes + MemoryPlanner.Align((long)slots * TokenLogProbs.MaxLikely * Unsafe.SizeOf<LikelyToken>());

    private long RankedOffsetBytes => CountsOffsetBytes + MemoryPlanner.Align((long)slots * sizeof(int));

    private long ListedOffsetBytes => RankedOffsetBytes + MemoryPlanner.Align((long)slots * Unsafe.SizeOf<SampledToken>());

    private long PlaceBytes => ListedOffsetBytes + MemoryPlanner.Align((long)slots * RankTokens.ListRoom * Unsafe.SizeOf<LikelyToken>());

    /// <summary>The id that was chosen last in a slot.</summary>
    public DeviceSpan IdOf(int slot) => memory.Span.Slice(layout.IdOffsetBytes + ((long)slot * sizeof(int)), sizeof(int));

    public DevicePointer TokensAddress(int place) => told.DeviceSpan.Pointer + (place * PlaceBytes);

    public DevicePointer LogProbsAddress(int place) => TokensAddress(place) + LogProbsOffsetBytes;

    public DevicePointer LikelyAddress(int place) => TokensAddress(place) + LikelyOffsetBytes;

    public DevicePointer CountsAddress(int place) => TokensAddress(place) + CountsOffsetBytes;

    public DevicePointer RankedAddress(int place) => TokensAddress(place) + RankedOffsetBytes;

    public DevicePointer ListedAddress(int place) => TokensAddress(place) + ListedOffsetBytes;

    public Span<SampledToken> Tokens(int place) => told.Span.Slice(place * PlaceBytes, (long)slots * Unsafe.SizeOf<SampledToken>()).AsSpan<SampledToken>();

    public Span<LogProbResult> LogProbs(int place) =>
        told.Span.Slice((place * PlaceBytes) + LogProbsOffsetBytes, (long)slots * Unsafe.SizeOf<LogProbResult>()).AsSpan<LogProbResult>();

    public Span<LikelyToken> Likely(int place) =>
        told.Span.Slice((place * PlaceBytes) + LikelyOffsetBytes, (long)slots * TokenLogProbs.MaxLikely * Unsafe.SizeOf<LikelyToken>()).AsSpan<LikelyToken>();

    /// <summary>Largest tokens of ranked rows.</summary>
    public Span<SampledToken> Ranked(int place) =>
        told.Span.Slice((place * PlaceBytes) + RankedOffsetBytes, (long)slots * Unsafe.SizeOf<SampledToken>()).AsSpan<SampledToken>();

    /// <summary>Tokens listed of a ranked row.</summary>
    public Span<LikelyToken> Listed(int place, int index)
    {
        int count = told.Span.Slice((place * PlaceBytes) + CountsOffsetBytes, (long)slots * sizeof(int)).AsSpan<int>()[index];
        return told.Span.Slice((place * PlaceBytes) + ListedOffsetBytes, (long)slots * RankTokens.ListRoom * Unsafe.SizeOf<LikelyToken>()).AsSpan<LikelyToken>().Slice(index * RankTokens.ListRoom, count);
    }

    /// <summary>Queues the ids that the sequence of a slot has. Waits until the last ones have left for the device.</summary>
    public void See(int slot, IReadOnlyList<int> ids)
    {
        begun[slot].Synchronize();
        BeginSeen(slot, staging.Span.Slice(slot * layout.StagingBytes, layout.StagingBytes), [.. ids]);
        stream.Record(begun[slot]);
    }

    /// <summary>Queues a slot's state at the beginning of an answer. Waits for nothing, unless the slot's last answer has not begun on the device yet, or the
    /// last answer with biases.</summary>
    public void Begin(int slot, SamplingState state, ReadOnlySpan<int> seenIds, ReadOnlySpan<TokenBias> added)
    {
        begun[slot].Synchronize();
        PinnedSpan place = staging.Span.Slice(slot * layout.StagingBytes, layout.StagingBytes);
        PinnedSpan source = place.Slice(0, Unsafe.SizeOf<SamplingState>());
        source.AsSpan<SamplingState>()[0] = state;
        stream.CopyToDevice(memory.Span.Slice(slot * source.LengthBytes, source.LengthBytes), source);
        BeginSeen(slot, place, seenIds);
        if (state.Adjusts != 0)
            BeginAdjustments(slot, added);
        stream.Record(begun[slot]);
    }

    /// <summary>Queues what an answer allows next. All choices of the slot before this one are complete.</summary>
    /// <param name="slot">Of the answer.</param>
    /// <param name="allowed">A bit for each token.</param>
    public void Allow(int slot, ReadOnlySpan<uint> allowed)
    {
        PinnedSpan bits = staging.Span.Slice((slot * layout.StagingBytes) + layout.AllowedStagingOffsetBytes, layout.SeenBytes);
        allowed[..(int)(layout.SeenBytes / sizeof(uint))].CopyTo(bits.AsSpan<uint>());
        stream.CopyToDevice(memory.Span.Slice(layout.AllowedOffsetBytes + (slot * layout.SeenBytes), layout.SeenBytes), bits);
    }

    public void Dispose()
    {
        foreach (CudaEvent mark in begun)
            mark.Dispose();
        biased.Dispose();
        memory.Dispose();
        scratch.Dispose();
        staging.Dispose();
        biases.Dispose();
        told.Dispose();
    }

    private void BeginSeen(int slot, PinnedSpan place, ReadOnlySpan<int> seenIds)
    {
        DeviceSpan seen = memory.Span.Slice(layout.SeenOffsetBytes + (slot * layout.SeenBytes), layout.SeenBytes);
        if (seenIds.IsEmpty)
        {
            stream.Fill(seen, 0);
            return;
        }

        PinnedSpan bits = place.Slice(layout.SeenStagingOffsetBytes, layout.SeenBytes);
        Span<uint> words = bits.AsSpan<uint>();
        words.Clear();
        foreach (int id in seenIds)
            words[id / 32] |= 1u << (id % 32);
        stream.CopyToDevice(seen, bits);
    }

    // Answers share the staging of biases: it holds the whole vocabulary.
    private void BeginAdjustments(int slot, ReadOnlySpan<TokenBias> added)
    {
        DeviceSpan adjustments = memory.Span.Slice(layout.AdjustmentOffsetBytes + (slot * layout.AdjustmentBytes), layout.AdjustmentBytes);
        if (added.IsEmpty)
        {
            stream.Fill(adjustments, 0);
            return;
        }

        biased.Synchronize();
        Span<Adjustment> values = biases.Span.AsSpan<Adjustment>();
        values.Clear();
        foreach (TokenBias bias in added)
            values[bias.Id] = new Adjustment(bias.Bias, 0);
        stream.CopyToDevice(adjustments, biases.Span);
        stream.Record(biased);
    }
}

/// <summary>Where the parts of a sampler's memory lie.</summary>
internal readonly record struct SamplerLayout
{
    public SamplerLayout(int slots, SampleToken sampling)
    {
        long rows = Math.Min(slots, SampleToken.MaxRows);
        SeenBytes = sampling.SeenBytes;
        AdjustmentBytes = sampling.AdjustmentBytes;
        SeenOffsetBytes = MemoryPlanner.Align((long)slots * Unsafe.SizeOf<SamplingState>());
        AllowedOffsetBytes = MemoryPlanner.Align(SeenOffsetBytes + (slots * SeenBytes));
        AdjustmentOffsetBytes = MemoryPlanner.Align(AllowedOffsetBytes + (slots * SeenBytes));
        IdOffsetBytes = MemoryPlanner.Align(AdjustmentOffsetBytes + (slots * AdjustmentBytes));
        ArrivalOffsetBytes = MemoryPlanner.Align(IdOffsetBytes + ((long)slots * sizeof(int)));
        StateBytes = ArrivalOffsetBytes + (rows * sizeof(uint));
        MaximaOffsetBytes = MemoryPlanner.Align(rows * sampling.KeyBytes);
        PartOffsetBytes = MemoryPlanner.Align(MaximaOffsetBytes + (rows * sampling.Cut.MaximaBytes));
        ScratchBytes = PartOffsetBytes + (rows * sampling.Cut.PartBytes);
        SeenStagingOffsetBytes = MemoryPlanner.Align(Unsafe.SizeOf<SamplingState>());
        AllowedStagingOffsetBytes = MemoryPlanner.Align(SeenStagingOffsetBytes + SeenBytes);
        StagingBytes = MemoryPlanner.Align(AllowedStagingOffsetBytes + SeenBytes);
    }

    /// <summary>Of the bits of one answer.</summary>
    public long SeenBytes { get; }

    /// <summary>Of one answer.</summary>
    public long AdjustmentBytes { get; }

    public long SeenOffsetBytes { get; }

    public long AllowedOffsetBytes { get; }

    public long AdjustmentOffsetBytes { get; }

    public long IdOffsetBytes { get; }

    public long ArrivalOffsetBytes { get; }

    /// <summary>What lasts from step to step.</summary>
    public long StateBytes { get; }

    public long MaximaOffsetBytes { get; }

    public long PartOffsetBytes { get; }

    /// <summary>What the kernels leave from block to block.</summary>
    public long ScratchBytes { get; }

    public long SeenStagingOffsetBytes { get; }

    public long AllowedStagingOffsetBytes { get; }

    /// <summary>Of one answer, page-locked.</summary>
    public long StagingBytes { get; }

    /// <summary>In device memory.</summary>
    public long TotalBytes => StateBytes + ScratchBytes;
}
