using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Softmax attention of the newest token of each sequence to all its tokens in the paged cache, its own key and value included.
/// The pages of a sequence are cut into runs, which blocks take side by side; the last of them adds the results in the order of the pages.
/// Lengths are read from device memory, so that a captured launch can be replayed while sequences grow.
/// Queries and outputs [rows, query heads x head size] in the storage type, which is the cache's too unless it is int8; queries are rotated.</summary>
public sealed record DecodeAttention : OperationKernel<PagedAttentionOp>
{
    private const int WantedBlocks = 2;

    /// <param name="storage">Type of queries, outputs and, mostly, cache.</param>
    /// <param name="heads">Heads of 64 or 128, up to 8 queries for a key.</param>
    /// <param name="hasInt8Cache">The cache holds integers with scales, not the storage type.</param>
    public DecodeAttention(DType storage, AttentionGeometry heads, bool hasInt8Cache = false)
    {
        PagedAttentionHeads.Require(heads);
        PagedAttentionHeads.RequireCache(storage, hasInt8Cache);
        HasInt8Cache = hasInt8Cache;
        Storage = storage;
        Heads = heads;
    }

    public DType Storage { get; }

    public bool HasInt8Cache { get; }

    public AttentionGeometry Heads { get; }

    public override string Source => "attention/decode_attention.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<DecodeAttentionArguments>();

    /// <summary>Four warps of 16 tokens are a page.</summary>
    public override int BlockThreads => 128;

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        ("STORAGE", Storage.CudaName()),
        ("KEY_VALUE_HEADS", Number(Heads.KeyValueHeads)),
        ("GROUP_SIZE", Number(Heads.GroupSize)),
        ("HEAD_SIZE", Number(Heads.HeadSize)),
        ("CACHE_INT8", Flag(HasInt8Cache)),
    ];

    public override int? BlocksPerMultiprocessor(ComputeCapability capability) => capability.Number >= 80 && Heads.GroupSize > 1 && !HasInt8Cache ? 4 : 3;

    public override bool Serves(ComputeCapability capability) => base.Serves(capability) && (Storage != DType.BF16 || capability.Number >= 80);

    /// <summary>Runs that keep the device busy with sequences of so many pages, and no more than give each the same number of pages.</summary>
    public int ChooseRuns(int multiprocessors, int sequences, int pages)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(multiprocessors, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(pages, 1);
        int blocks = Heads.KeyValueHeads * sequences;
        int runs = Math.Min(pages, ((WantedBlocks * multiprocessors) + blocks - 1) / blocks);
        int runPages = (pages + runs - 1) / runs;
        return (pages + runPages - 1) / runPages;
    }

    /// <summary>Scratch of launches of up to so many sequences and runs. All of it is zero before the first launch, and launches leave it fit for the next.</summary>
    public DecodeAttentionScratch Scratch(int sequences, int runs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(runs, 1);
        return new DecodeAttentionScratch(Heads, sequences, runs);
    }

    public LaunchGeometry Geometry(int sequences, int runs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(runs, 1);
        return new LaunchGeometry(new Dim3(Heads.KeyValueHeads, runs, sequences), BlockThreads, DynamicSharedBytes);
    }

    /// <param name="queries">First row of the step.</param>
    /// <param name="outputs">First row of the step; not the queries.</param>
    /// <param name="layer">The layer's part of physical page 0, aligned to 16 bytes.</param>
    /// <param name="pageBytes">From one page to the next, a multiple of 16.</param>
    /// <param name="spans"><see cref="SequenceSpan"/>[sequences], of one row or none.</param>
    /// <param name="pageTable">i32 physical page of each entry.</param>
    /// <param name="scratch">Layout of the scratch: at least the launch's sequences and runs.</param>
    /// <param name="scratchMemory">At least as large, aligned to 16 bytes.</param>
    public DecodeAttentionArguments Arguments(
        DevicePointer queries, DevicePointer outputs, DevicePointer layer, long pageBytes, DevicePointer spans, DevicePointer pageTable,
        DecodeAttentionScratch scratch, DeviceSpan scratchMemory)
    {
        PagedAttentionHeads.RequireAligned(layer, pageBytes);
        if (scratch.Heads != Heads) throw new ArgumentException($"scratch of {scratch.Heads}, kernel of {Heads}", nameof(scratch));
        DevicePointer start = scratchMemory.Slice(0, scratch.TotalBytes).Pointer;
        return new DecodeAttentionArguments(
            queries, outputs, layer, pageBytes, spans, pageTable, start + scratch.OutputsOffsetBytes, start + scratch.StatesOffsetBytes, start,
            FlashTile.ScoreScale(Heads.HeadSize));
    }

    public KernelCost Cost(ReadOnlySpan<SequenceSpan> spans)
    {
        KernelCost cost = default;
        foreach (SequenceSpan span in spans)
            cost += PagedAttentionHeads.Cost(span, Heads, Storage, HasInt8Cache);
        return cost;
    }

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => AttentionCases.Of(this, context);

    // The grid is made for the longest sequence that there may be, so that a captured launch serves every length, and sums are the same in every graph.
    protected override KernelLaunch Resolve(PagedAttentionOp operation, IKernelOperands operands)
    {
        KernelOperand query = operands.Operand(operation.Query), output = operands.Operand(operation.Output);
        KernelCacheLayer layer = operands.Layer(operation.Layer, operation.Geometry);
        KernelSequences sequences = operands.Sequences;
        int runs = ChooseRuns(operands.Device.Multiprocessors, 1, sequences.MaximumPages);
        DecodeAttentionScratch scratch = Scratch(sequences.Maximum, runs);
        DeviceSpan scratchMemory = operands.SharedScratch(nameof(DecodeAttention), scratch.TotalBytes);
        bool overlaps = operands.Device.Capability.Major >= 9;
        return (kernel, in run) =>
        {
            if (run.Sequences == 0)
                return;
            kernel.Launch(run.Stream, Geometry(run.Sequences, runs) with { OverlapsPredecessor = overlaps }, Arguments(
                query.Pointer(run), output.Pointer(run), layer.Start, layer.PageBytes, sequences.Spans, sequences.PageTable, scratch, scratchMemory));
        };
    }
}

/// <summary>As <c>attention/decode_attention.cu</c> declares it. Made by <see cref="DecodeAttention.Arguments"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct DecodeAttentionArguments(
    DevicePointer Queries, DevicePointer Outputs, DevicePointer Layer, long PageBytes, DevicePointer Spans, DevicePointer PageTable,
    DevicePointer PartialOutputs, DevicePointer PartialStates, DevicePointer Arrivals, float ScoreScale);

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
