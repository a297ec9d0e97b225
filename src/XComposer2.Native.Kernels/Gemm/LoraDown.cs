using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The lower half of Partial LoRA: scale x Aᵀ on visual rows, zero on text rows.</summary>
public sealed record LoraDown : OperationKernel<LoraDownOp>
{
    /// <param name="storage">Type of input, A and output.</param>
    /// <param name="inFeatures">Columns of A: a multiple of 8.</param>
    /// <param name="outFeatures">Rows of A: the rank, or twice the rank for gate and up; a multiple of 4.</param>
    /// <param name="tile">Of <see cref="LinearTiles.ChooseForLora"/>.</param>
    public LoraDown(DType storage, int inFeatures, int outFeatures, PrefillTile tile)
    {
        if (inFeatures < 8 || inFeatures % 8 != 0)
            throw new ArgumentOutOfRangeException(nameof(inFeatures), inFeatures, "expected a multiple of 8");
        if (outFeatures < 4 || outFeatures % 4 != 0)
            throw new ArgumentOutOfRangeException(nameof(outFeatures), outFeatures, "expected a multiple of 4");
        if (storage == DType.F32 != (tile == PrefillTile.Plain))
            throw new ArgumentException($"{storage} has no tile {tile}", nameof(tile));
        Storage = storage;
        InFeatures = inFeatures;
        OutFeatures = outFeatures;
        Tile = tile;
    }

    public DType Storage { get; }

    public int InFeatures { get; }

    public int OutFeatures { get; }

    public PrefillTile Tile { get; }

    public override string Source => "gemm/lora_down.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<LoraDownArguments>();

    public override int BlockThreads => Tile.Threads;

    public override int DynamicSharedBytes => Tile.SharedBytes(Storage, WeightFormat.Of(Storage), 0);

    public override int? BlocksPerMultiprocessor(ComputeCapability capability) => Tile.BlocksPerMultiprocessor;

    public override bool Serves(ComputeCapability capability) =>
        base.Serves(capability) && (capability.Number >= 80 || (Storage != DType.BF16 && Tile.Stages == 2));

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        ("STORAGE", Storage.CudaName()),
        ("PLAIN_ARITHMETIC", Flag(Storage == DType.F32)),
        .. DeviceWeights.Of(WeightFormat.Of(Storage)).Definitions(),
        ("IN_FEATURES", Number(InFeatures)),
        ("OUT_FEATURES", Number(OutFeatures)),
        .. Tile.Definitions(),
        ("PAIRED_ROWS", "0"),
        ("LORA_INPUTS", "0"),
        ("RANK", "0"),
        ("DYNAMIC_SHARED_BYTES", Number(DynamicSharedBytes)),
    ];

    /// <summary>How K is cut for so many rows.</summary>
    public SplitSums Split(int rows)
    {
        Dim3 tiles = TilesOf(rows);
        return new SplitSums(tiles.X * tiles.Y, (long)Tile.Rows * Tile.Columns * sizeof(float), (InFeatures + Tile.Depth - 1) / Tile.Depth, Tile.BlocksPerMultiprocessor);
    }

    /// <param name="rows">Of the step.</param>
    /// <param name="parts">Of K.</param>
    public LaunchGeometry Geometry(int rows, int parts = 1) => new(TilesOf(rows) with { Z = parts }, BlockThreads, DynamicSharedBytes);

    /// <param name="rows">Rows of the step.</param>
    /// <param name="visualRows">Of these, rows that are computed.</param>
    public KernelCost Cost(int rows, int visualRows) => new(
        ((((long)visualRows + OutFeatures) * InFeatures) + ((long)rows * OutFeatures)) * Storage.ElementBytes(), 2L * visualRows * InFeatures * OutFeatures);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => LinearPrefillCases.Of(this, context);

    protected override KernelLaunch Resolve(LoraDownOp operation, IKernelOperands operands)
    {
        LoraDownOperands down = new(operation, operands, Storage);
        return (kernel, in run) =>
        {
            int rows = down.Input.Rows(run), parts = Split(rows).Parts(down.Multiprocessors);
            kernel.Launch(run.Stream, Geometry(rows, parts), new LoraDownArguments(
                down.Input.Pointer(run), down.A(run), down.VisualRow.Pointer(run), down.Output.Pointer(run), down.Parts.Pointer(run), down.Arrivals, down.Scale, rows));
        };
    }

    private Dim3 TilesOf(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        return new Dim3((rows + Tile.Rows - 1) / Tile.Rows, (OutFeatures + Tile.Columns - 1) / Tile.Columns);
    }
}

/// <summary>As <c>gemm/lora_down.cu</c> declares it. Matrices are aligned to 16 bytes.</summary>
/// <param name="Input">[rows, in].</param>
/// <param name="A">[out, in]; for gate and up one below the other.</param>
/// <param name="VisualRow">I32 [rows], negative for text.</param>
/// <param name="Output">[rows, out].</param>
/// <param name="Parts">F32 [tiles, parts of K, tile]; null for one part.</param>
/// <param name="Arrivals">U32 [tiles], zero before and after; null for one part.</param>
/// <param name="Scale">alpha / rank.</param>
/// <param name="Rows">Rows of the step.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LoraDownArguments(
    DevicePointer Input, DevicePointer A, DevicePointer VisualRow, DevicePointer Output, DevicePointer Parts, DevicePointer Arrivals, float Scale, int Rows);

/// <summary>What both kernels of Partial LoRA's lower half read and write.</summary>
internal sealed class LoraDownOperands(LoraDownOp operation, IKernelOperands operands, DType storage)
{
    private readonly KernelOperand? panel = operands.Operand(operation.Panel);
    private readonly DevicePointer stored = operation.Panel is null ? operands.Matrix(operation.A, storage) : default;

    public int Multiprocessors { get; } = operands.Device.Multiprocessors;

    public KernelOperand Input { get; } = operands.Operand(operation.Input);

    public KernelOperand VisualRow { get; } = operands.Operand(operation.VisualRow);

    public KernelOperand Output { get; } = operands.Operand(operation.Output);

    public KernelOperand Parts { get; } = operands.Scratch(operation);

    public DevicePointer Arrivals { get; } = operands.SharedScratch(nameof(LoraDown), SplitSums.ArrivalBytes).Pointer;

    public float Scale { get; } = operation.Scale;

    /// <summary>A, or its panel of this run.</summary>
    public DevicePointer A(in KernelRun run) => panel is { } made ? made.Pointer(run) : stored;
}
