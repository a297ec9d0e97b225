using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Attention of f32 rows without a cache, or the statistics of its rows.</summary>
/// <param name="Operand">BF16 for tensor cores, or F32.</param>
/// <param name="HeadSize">A multiple of 16, at most 128.</param>
/// <param name="GroupSize">Query heads of a key/value head.</param>
/// <param name="IsCausal">Else within pictures.</param>
/// <param name="HasStatistics">Whether statistics are stored in place of the result.</param>
public sealed record AttentionRows(DType Operand, int HeadSize, int GroupSize, bool IsCausal, bool HasStatistics) : OperationKernel<AttentionRowsOp>
{
    public override string Source => "training/attention_rows.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<AttentionRowsArguments>();

    public override int BlockThreads => AttentionTile.Threads(Operand);

    public override int DynamicSharedBytes => AttentionTile.SharedBytes(Operand, HeadSize, ownTiles: 1, statistics: false);

    public override bool Serves(ComputeCapability capability) => capability.Number >= 80;

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        ("OPERAND", Operand.CudaName()), ("HEAD_SIZE", Number(HeadSize)), ("GROUP_SIZE", Number(GroupSize)), ("CAUSAL", Flag(IsCausal)), ("STATISTICS", Flag(HasStatistics)),
        ("SHARED_BYTES", Number(DynamicSharedBytes)),
    ];

    public LaunchGeometry Geometry(int rows, int queryHeads) => new(new Dim3(AttentionTile.Tiles(Operand, rows), queryHeads), BlockThreads, DynamicSharedBytes);

    public KernelCost Cost(int rows, int queryHeads, int seen) =>
        new((2L + (2L / GroupSize)) * rows * queryHeads * HeadSize * sizeof(float), 4L * rows * seen * queryHeads * HeadSize);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this, context);

    protected override KernelLaunch Resolve(AttentionRowsOp operation, IKernelOperands operands)
    {
        var places = new AttentionPlaces(operation, operands);
        KernelOperand? gradient = operands.Operand(operation.Gradient);
        KernelOperand output = operands.Operand(operation.Output);
        int heads = operation.Attention.Geometry.QueryHeads;
        return (kernel, in run) =>
        {
            int rows = places.Rows(run);
            kernel.Launch(run.Stream, Geometry(rows, heads), new AttentionRowsArguments(
                places.Heads(run), places.Visible(run), gradient.Pointer(run), output.Pointer(run), AttentionTile.Scale(HeadSize), (uint)heads));
        };
    }
}

/// <summary>The gradients of attention by queries, keys and values.</summary>
/// <param name="Operand">BF16 for tensor cores, or F32.</param>
/// <param name="HeadSize">A multiple of 16, at most 128.</param>
/// <param name="GroupSize">Query heads of a key/value head.</param>
/// <param name="IsCausal">Else within pictures.</param>
public sealed record AttentionGradient(DType Operand, int HeadSize, int GroupSize, bool IsCausal) : OperationKernel<AttentionGradientOp>
{
    public override string Source => "training/attention_gradient.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<AttentionGradientArguments>();

    public override int BlockThreads => AttentionTile.Threads(Operand);

    public override int DynamicSharedBytes => AttentionTile.SharedBytes(Operand, HeadSize, ownTiles: 2, statistics: true);

    public override bool Serves(ComputeCapability capability) => capability.Number >= 80;

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        ("OPERAND", Operand.CudaName()), ("HEAD_SIZE", Number(HeadSize)), ("GROUP_SIZE", Number(GroupSize)), ("CAUSAL", Flag(IsCausal)), ("SHARED_BYTES", Number(DynamicSharedBytes)),
    ];

    /// <summary>Blocks of queries, then blocks of keys.</summary>
    public LaunchGeometry Geometry(int rows, int queryHeads) => new(new Dim3(2 * AttentionTile.Tiles(Operand, rows), queryHeads), BlockThreads, DynamicSharedBytes);

    public KernelCost Cost(int rows, int queryHeads, int seen) =>
        new((3L + (4L / GroupSize)) * rows * queryHeads * HeadSize * sizeof(float), 14L * rows * seen * queryHeads * HeadSize);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this, context);

    protected override KernelLaunch Resolve(AttentionGradientOp operation, IKernelOperands operands)
    {
        var places = new AttentionPlaces(operation.Rows, operands);
        KernelOperand gradient = operands.Operand(operation.Rows.Gradient!.Value), statistics = operands.Operand(operation.Rows.Output), output = operands.Operand(operation.Output);
        AttentionGeometry geometry = operation.Rows.Attention.Geometry;
        bool isPacked = operation.Rows.Key is null;
        // Queries, keys and values of a group beside each other, or of a row.
        long part = isPacked ? geometry.HeadSize : geometry.QueryColumns;
        long key = (isPacked ? geometry.GroupSize : 1) * part * sizeof(float), value = key + (part * sizeof(float));
        uint stride = (uint)operands.Spec(operation.Output).RowElements, groupStride = (uint)((isPacked ? geometry.GroupSize + 2 : 1) * geometry.HeadSize);
        return (kernel, in run) =>
        {
            DevicePointer start = output.Pointer(run);
            kernel.Launch(run.Stream, Geometry(places.Rows(run), geometry.QueryHeads), new AttentionGradientArguments(
                places.Heads(run), places.Visible(run), gradient.Pointer(run), statistics.Pointer(run), start, start + key, start + value, stride, groupStride,
                AttentionTile.Scale(HeadSize), (uint)geometry.QueryHeads));
        };
    }
}

/// <summary>Where an operation's queries, keys and values lie.</summary>
internal sealed class AttentionPlaces
{
    private readonly KernelOperand query, key, value;
    private readonly KernelOperand? starts;
    private readonly long keyBytes, valueBytes;
    private readonly uint rowStride, groupStride, tokensPerImage;

    public AttentionPlaces(AttentionRowsOp operation, IKernelOperands operands)
    {
        AttentionGeometry geometry = operation.Attention.Geometry;
        query = operands.Operand(operation.Query);
        key = operation.Key is { } separate ? operands.Operand(separate) : query;
        value = operation.Value is { } apart ? operands.Operand(apart) : query;
        starts = operands.Operand(operation.Starts);
        bool isPacked = operation.Key is null;
        keyBytes = isPacked ? (long)geometry.GroupSize * geometry.HeadSize * sizeof(float) : 0;
        valueBytes = isPacked ? keyBytes + (geometry.HeadSize * sizeof(float)) : 0;
        rowStride = (uint)operands.Spec(operation.Query).RowElements;
        groupStride = (uint)((isPacked ? geometry.GroupSize + 2 : 1) * geometry.HeadSize);
        tokensPerImage = (uint)operation.Attention.TokensPerImage;
    }

    public int Rows(in KernelRun run) => query.Rows(run);

    public AttentionHeads Heads(in KernelRun run) => new(query.Pointer(run), key.Pointer(run) + keyBytes, value.Pointer(run) + valueBytes, rowStride, groupStride);

    public AttentionVisible Visible(in KernelRun run) => new(starts.Pointer(run), (uint)Rows(run), tokensPerImage);
}

/// <summary>Sizes that <c>training/attention_tile.cuh</c> works in.</summary>
internal static class AttentionTile
{
    private const int OtherRows = 32, WarpRows = 16, WarpLanes = 32, PaddingBytes = 16;

    /// <summary>Four warps on tensor cores; two where tiles are twice as large.</summary>
    public static int Threads(DType operand) => (operand == DType.BF16 ? 4 : 2) * WarpLanes;

    public static int Tiles(DType operand, int rows) => (rows + OwnRows(operand) - 1) / OwnRows(operand);

    public static float Scale(int headSize) => (float)(1 / Math.Sqrt(headSize));

    public static int SharedBytes(DType operand, int headSize, int ownTiles, bool statistics)
    {
        int size = operand.ElementBytes(), stride = (headSize * size) + PaddingBytes, weights = (OtherRows * size) + PaddingBytes;
        return (((ownTiles * OwnRows(operand)) + (2 * OtherRows)) * stride) + (OwnRows(operand) * weights) + (statistics ? OtherRows * 2 * sizeof(float) : 0);
    }

    private static int OwnRows(DType operand) => Threads(operand) / WarpLanes * WarpRows;
}

/// <summary>As <c>training/attention_tile.cuh</c> declares <c>Heads</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct AttentionHeads(DevicePointer Query, DevicePointer Key, DevicePointer Value, uint RowStride, uint GroupStride);

/// <summary>As <c>training/attention_tile.cuh</c> declares <c>Visible</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct AttentionVisible(DevicePointer Starts, uint Rows, uint PictureRows);

/// <summary>As <c>training/attention_rows.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct AttentionRowsArguments(AttentionHeads Heads, AttentionVisible Visible, DevicePointer Gradient, DevicePointer Output, float Scale, uint QueryHeads);

/// <summary>As <c>training/attention_gradient.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct AttentionGradientArguments(
    AttentionHeads Heads, AttentionVisible Visible, DevicePointer Gradient, DevicePointer Statistics, DevicePointer Query, DevicePointer Key, DevicePointer Value, uint OutputStride, uint OutputGroupStride, float Scale, uint QueryHeads);
