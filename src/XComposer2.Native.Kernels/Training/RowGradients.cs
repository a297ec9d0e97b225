using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Rotation of a packed projection, either way.</summary>
/// <param name="HeadSize">Even.</param>
/// <param name="GroupSize">Query heads of a key/value head.</param>
/// <param name="Inverse">By the opposite angle.</param>
public sealed record Rotary(int HeadSize, int GroupSize, bool Inverse) : OperationKernel<RotaryOp>
{
    public override string Source => "training/rotary.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<RotaryArguments>();

    public override int BlockThreads => 256;

    protected override IEnumerable<(string Name, string Value)> Definitions => [("HEAD_SIZE", Number(HeadSize)), ("GROUP_SIZE", Number(GroupSize)), ("INVERSE", Flag(Inverse))];

    /// <summary>A block a row.</summary>
    public LaunchGeometry Geometry(int rows) => new(rows, BlockThreads);

    public KernelCost Cost(int rows, int heads) => new(2L * sizeof(float) * rows * heads * HeadSize, 3L * rows * heads * HeadSize);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this, context);

    protected override KernelLaunch Resolve(RotaryOp operation, IKernelOperands operands)
    {
        KernelOperand packed = operands.Operand(operation.Packed), starts = operands.Operand(operation.Starts), output = operands.Operand(operation.Output);
        DevicePointer table = operands.Rope(operation.Geometry, operation.RopeTheta);
        uint heads = (uint)(operation.Geometry.PackedColumns / operation.Geometry.HeadSize);
        return (kernel, in run) => kernel.Launch(
            run.Stream, Geometry(packed.Rows(run)), new RotaryArguments(packed.Pointer(run), table, starts.Pointer(run), output.Pointer(run), (uint)packed.Rows(run), heads));
    }
}

/// <summary>As <c>training/rotary.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct RotaryArguments(DevicePointer Packed, DevicePointer Table, DevicePointer Starts, DevicePointer Output, uint Rows, uint Heads);

/// <summary>Sums of the rows that name a row.</summary>
/// <param name="Adds">To the gradient of a weight; else every row is written.</param>
public sealed record ScatterRows(bool Adds) : OperationKernel<ScatterRowsOp>
{
    public override string Source => "training/scatter_rows.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<ScatterRowsArguments>();

    public override int BlockThreads => 128;

    protected override IEnumerable<(string Name, string Value)> Definitions => [("ADDS", Flag(Adds))];

    /// <summary>A block for each row of the output, or of the gradient.</summary>
    public LaunchGeometry Geometry(int rows, int outputRows) => new(Adds ? rows : outputRows, BlockThreads);

    public KernelCost Cost(int rows, int outputRows, int columns) => new(sizeof(float) * (long)columns * (rows + (Adds ? 2 * rows : outputRows)), (long)rows * columns);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this, context);

    protected override KernelLaunch Resolve(ScatterRowsOp operation, IKernelOperands operands)
    {
        KernelOperand gradient = operands.Operand(operation.Gradient), rowOf = operands.Operand(operation.Rows), output = operands.Operand(operation.Output);
        KernelOperand? unless = operands.Operand(operation.Unless);
        uint columns = (uint)operands.Spec(operation.Gradient).RowElements;
        return (kernel, in run) =>
        {
            int rows = gradient.Rows(run), outputRows = output.Rows(run);
            if (rows > 0 || !Adds)
                kernel.Launch(run.Stream, Geometry(rows, outputRows), new ScatterRowsArguments(
                    gradient.Pointer(run), rowOf.Pointer(run), unless.Pointer(run), output.Pointer(run), (uint)rows, columns, (uint)outputRows));
        };
    }
}

/// <summary>As <c>training/scatter_rows.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct ScatterRowsArguments(DevicePointer Gradient, DevicePointer RowOf, DevicePointer Unless, DevicePointer Output, uint Rows, uint Columns, uint OutputRows)
{
    private readonly uint unused;
}

/// <summary>Copies in another order.</summary>
public sealed record Rearrange(Rearrangement Kind) : OperationKernel<RearrangeOp>
{
    public override string Source => "training/rearrange.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<RearrangeArguments>();

    public override int BlockThreads => 256;

    protected override IEnumerable<(string Name, string Value)> Definitions => [("FUNCTION", Number((int)Kind))];

    public static KernelCost Cost(long elements) => new(2 * sizeof(float) * elements, 0);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this, context);

    protected override KernelLaunch Resolve(RearrangeOp operation, IKernelOperands operands)
    {
        KernelOperand input = operands.Operand(operation.Input), output = operands.Operand(operation.Output);
        TensorSpec from = operands.Spec(operation.Input);
        int columns = operands.Spec(operation.Output).RowElements, side = operation.Kind == Rearrangement.PatchColumns ? from.Shape[3] : 0;
        return (kernel, in run) =>
        {
            int rows = output.Rows(run);
            kernel.Launch(run.Stream, TrainingGrid.Of((long)rows * columns, BlockThreads, BlockThreads), new RearrangeArguments(
                input.Pointer(run), output.Pointer(run), (uint)rows, (uint)columns, (uint)from.RowElements, (uint)operation.First, (uint)operation.TokensPerImage, (uint)side, (uint)operation.PatchSize));
        };
    }
}

/// <summary>As <c>training/rearrange.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct RearrangeArguments(
    DevicePointer Input, DevicePointer Output, uint Rows, uint Columns, uint InputColumns, uint First, uint PictureRows, uint Side, uint Patch)
{
    private readonly uint unused;
}
