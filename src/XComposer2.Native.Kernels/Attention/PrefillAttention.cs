using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Causal softmax attention of the rows of a step to their own sequences in the paged cache, which holds the step's keys and values already.
/// Queries and outputs [rows, query heads x head size] in the storage type, which is the cache's too unless it is int8; queries are rotated.</summary>
public sealed record PrefillAttention : OperationKernel<PagedAttentionOp>
{
    /// <param name="storage">Type of queries, outputs and, mostly, cache.</param>
    /// <param name="heads">Heads of 64 or 128, up to 8 queries for a key.</param>
    /// <param name="tileKeys">Of <see cref="FlashTile.ChooseKeys"/>.</param>
    /// <param name="hasInt8Cache">The cache holds integers with scales, not the storage type.</param>
    public PrefillAttention(DType storage, AttentionGeometry heads, int tileKeys, bool hasInt8Cache = false)
    {
        PagedAttentionHeads.Require(heads);
        PagedAttentionHeads.RequireCache(storage, hasInt8Cache);
        HasInt8Cache = hasInt8Cache;
        FlashTile.RequireKeys(tileKeys);
        Storage = storage;
        Heads = heads;
        TileKeys = tileKeys;
    }

    public DType Storage { get; }

    public bool HasInt8Cache { get; }

    public AttentionGeometry Heads { get; }

    public int TileKeys { get; }

    public override string Source => "attention/prefill_attention.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<PrefillAttentionArguments>();

    public override int BlockThreads => FlashTile.Threads;

    public override int DynamicSharedBytes => FlashTile.SharedBytes(Storage, Heads.HeadSize, TileKeys);

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        ("STORAGE", Storage.CudaName()),
        ("KEY_VALUE_HEADS", Number(Heads.KeyValueHeads)),
        ("GROUP_SIZE", Number(Heads.GroupSize)),
        ("HEAD_SIZE", Number(Heads.HeadSize)),
        ("CACHE_INT8", Flag(HasInt8Cache)),
        ("TILE_KEYS", Number(TileKeys)),
    ];

    public override int? BlocksPerMultiprocessor(ComputeCapability capability) => FlashTile.ResidentBlocks(Heads.HeadSize);

    public override bool Serves(ComputeCapability capability) => base.Serves(capability) && (Storage != DType.BF16 || capability.Number >= 80);

    /// <summary>A block for each tile that so many rows can have at most, however they are shared among so many sequences.</summary>
    public LaunchGeometry Geometry(int rows, int sequences)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences, 1);
        long tiles = (rows + ((FlashTile.Rows - 1L) * Math.Min(rows, sequences))) / FlashTile.Rows;
        return new LaunchGeometry(new Dim3(Heads.QueryHeads, checked((int)tiles)), BlockThreads, DynamicSharedBytes);
    }

    /// <param name="queries">First row of the step.</param>
    /// <param name="outputs">First row of the step; not the queries. Rows in no span are not written.</param>
    /// <param name="layer">The layer's part of physical page 0, aligned to 16 bytes.</param>
    /// <param name="pageBytes">From one page to the next, a multiple of 16.</param>
    /// <param name="spans"><see cref="SequenceSpan"/>[sequences].</param>
    /// <param name="pageTable">i32 physical page of each entry.</param>
    /// <param name="sequences">Spans.</param>
    public PrefillAttentionArguments Arguments(
        DevicePointer queries, DevicePointer outputs, DevicePointer layer, long pageBytes, DevicePointer spans, DevicePointer pageTable, int sequences)
    {
        PagedAttentionHeads.RequireAligned(layer, pageBytes);
        return new PrefillAttentionArguments(queries, outputs, layer, pageBytes, spans, pageTable, sequences, FlashTile.ScoreScale(Heads.HeadSize));
    }

    public KernelCost Cost(ReadOnlySpan<SequenceSpan> spans)
    {
        KernelCost cost = default;
        foreach (SequenceSpan span in spans)
            cost += PagedAttentionHeads.Cost(span, Heads, Storage, HasInt8Cache);
        return cost;
    }

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => AttentionCases.Of(this, context);

    protected override KernelLaunch Resolve(PagedAttentionOp operation, IKernelOperands operands)
    {
        KernelOperand query = operands.Operand(operation.Query), output = operands.Operand(operation.Output);
        KernelCacheLayer layer = operands.Layer(operation.Layer, operation.Geometry);
        KernelSequences sequences = operands.Sequences;
        return (kernel, in run) =>
        {
            if (run.Sequences == 0)
                return;
            kernel.Launch(run.Stream, Geometry(query.Rows(run), run.Sequences), Arguments(
                query.Pointer(run), output.Pointer(run), layer.Start, layer.PageBytes, sequences.Spans, sequences.PageTable, run.Sequences));
        };
    }
}

/// <summary>As <c>attention/prefill_attention.cu</c> declares it. Made by <see cref="PrefillAttention.Arguments"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct PrefillAttentionArguments(
    DevicePointer Queries, DevicePointer Outputs, DevicePointer Layer, long PageBytes, DevicePointer Spans, DevicePointer PageTable,
    int Sequences, float ScoreScale);
