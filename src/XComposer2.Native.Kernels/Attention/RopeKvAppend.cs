using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Rotates queries and keys of the packed projection, F32, and appends keys and values to an int8 cache. Caches of the storage type are appended to by
/// the projection itself.</summary>
public sealed record RopeKvAppend : OperationKernel<RopeKvAppendOp>
{
    private const int WarpLanes = 32;

    /// <param name="storage">Type of the queries: F16 or BF16.</param>
    /// <param name="heads">Heads of 64 or 128.</param>
    public RopeKvAppend(DType storage, AttentionGeometry heads)
    {
        PagedAttentionHeads.Require(heads);
        PagedAttentionHeads.RequireCache(storage, hasInt8Cache: true);
        Storage = storage;
        Heads = heads;
    }

    public DType Storage { get; }

    public AttentionGeometry Heads { get; }

    public override string Source => "attention/rope_kv_append.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<RopeKvAppendArguments>();

    public override int BlockThreads => 128;

    public override bool Serves(ComputeCapability capability) => base.Serves(capability) && (Storage != DType.BF16 || capability.Number >= 80);

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        ("STORAGE", Storage.CudaName()),
        ("KV_HEADS", Number(Heads.KeyValueHeads)),
        ("GROUP_SIZE", Number(Heads.GroupSize)),
        ("HEAD_SIZE", Number(Heads.HeadSize)),
    ];

    private int PackedHeads => Heads.PackedColumns / Heads.HeadSize;

    /// <summary>A warp for each head of each row.</summary>
    public LaunchGeometry Geometry(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        int warps = BlockThreads / WarpLanes;
        return new LaunchGeometry(new Dim3((PackedHeads + warps - 1) / warps, rows), BlockThreads);
    }

    public KernelCost Cost(int rows) => new(
        rows * (((long)Heads.PackedColumns * sizeof(float)) + ((long)Heads.QueryColumns * Storage.ElementBytes()) + (2 * Heads.KeyValueHeads * CacheFormat.Int8.HeadBytes(Heads.HeadSize))),
        3L * rows * Heads.PackedColumns);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => AttentionCases.Of(this, context);

    protected override KernelLaunch Resolve(RopeKvAppendOp operation, IKernelOperands operands)
    {
        KernelOperand packed = operands.Operand(operation.Packed), queries = operands.Operand(operation.Output);
        KernelCacheLayer layer = operands.Layer(operation.Layer, operation.Geometry);
        DevicePointer rope = operands.Rope(operation.Geometry, operation.RopeTheta);
        KernelSequences sequences = operands.Sequences;
        bool overlaps = operands.Device.Capability.Major >= 9;
        return (kernel, in run) =>
        {
            int rows = packed.Rows(run);
            kernel.Launch(run.Stream, Geometry(rows) with { OverlapsPredecessor = overlaps }, new RopeKvAppendArguments(
                packed.Pointer(run), queries.Pointer(run), rope, layer.Start, layer.PageBytes, sequences.Spans, sequences.PageTable, rows, run.Sequences));
        };
    }
}

/// <summary>As <c>attention/rope_kv_append.cu</c> declares it.</summary>
/// <param name="Packed">F32 [rows, packed columns].</param>
/// <param name="Queries">[rows, query columns].</param>
/// <param name="RopeTable">F32 [positions, head size / 2, 2]: cosine and sine.</param>
/// <param name="Pages">Page 0 of this layer's part of the cache.</param>
/// <param name="PageBytes">From one page to the next.</param>
/// <param name="Sequences"><see cref="SequenceSpan"/>[<paramref name="SequenceCount"/>].</param>
/// <param name="PageTable">I32: physical pages.</param>
/// <param name="Rows">Rows of the step.</param>
/// <param name="SequenceCount">Spans.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct RopeKvAppendArguments(
    DevicePointer Packed, DevicePointer Queries, DevicePointer RopeTable, DevicePointer Pages, long PageBytes, DevicePointer Sequences, DevicePointer PageTable,
    int Rows, int SequenceCount);
