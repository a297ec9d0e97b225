using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The gradient of a norm's input.</summary>
/// <param name="Centred">Layer norm, else RMS norm.</param>
public sealed record NormInputGradient(bool Centred) : OperationKernel<NormInputGradientOp>
{
    public override string Source => "training/norm_input_gradient.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<NormInputGradientArguments>();

    public override int BlockThreads => 128;

    protected override IEnumerable<(string Name, string Value)> Definitions => [("CENTRED", Flag(Centred))];

    public static KernelCost Cost(int rows, int columns) => new(4L * sizeof(float) * rows * columns, 10L * rows * columns);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this, context);

    protected override KernelLaunch Resolve(NormInputGradientOp operation, IKernelOperands operands)
    {
        KernelOperand gradient = operands.Operand(operation.Gradient), input = operands.Operand(operation.Input), weight = operands.Operand(operation.Weight);
        KernelOperand? addend = operands.Operand(operation.Addend);
        KernelOperand output = operands.Operand(operation.Output);
        (float epsilon, uint columns) = (operation.Epsilon, (uint)operands.Spec(operation.Input).RowElements);
        return (kernel, in run) => kernel.Launch(run.Stream, TrainingGrid.WarpForEach(input.Rows(run), BlockThreads), new NormInputGradientArguments(
            gradient.Pointer(run), input.Pointer(run), weight.Pointer(run), addend.Pointer(run), output.Pointer(run), epsilon, (uint)input.Rows(run), columns));
    }
}

/// <summary>As <c>training/norm_input_gradient.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct NormInputGradientArguments(
    DevicePointer Gradient, DevicePointer X, DevicePointer Weight, DevicePointer Addend, DevicePointer Output, float Epsilon, uint Rows, uint Columns)
{
    private readonly uint unused;
}

/// <summary>Mean and factor of each row.</summary>
/// <param name="Centred">Layer norm, else RMS norm.</param>
public sealed record RowMoments(bool Centred) : OperationKernel<RowMomentsOp>
{
    public override string Source => "training/row_moments.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<RowMomentsArguments>();

    public override int BlockThreads => 128;

    protected override IEnumerable<(string Name, string Value)> Definitions => [("CENTRED", Flag(Centred))];

    public static KernelCost Cost(int rows, int columns) => new((long)sizeof(float) * rows * (columns + 2), 3L * rows * columns);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this, context);

    protected override KernelLaunch Resolve(RowMomentsOp operation, IKernelOperands operands)
    {
        KernelOperand input = operands.Operand(operation.Input), output = operands.Operand(operation.Output);
        (float epsilon, uint columns) = (operation.Epsilon, (uint)operands.Spec(operation.Input).RowElements);
        return (kernel, in run) => kernel.Launch(
            run.Stream, TrainingGrid.WarpForEach(input.Rows(run), BlockThreads), new RowMomentsArguments(input.Pointer(run), output.Pointer(run), epsilon, (uint)input.Rows(run), columns));
    }
}

/// <summary>As <c>training/row_moments.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct RowMomentsArguments(DevicePointer X, DevicePointer Moments, float Epsilon, uint Rows, uint Columns)
{
    private readonly uint unused;
}

/// <summary>Sums of rows of a gradient, added to the gradient of a weight.</summary>
/// <param name="Normed">Each element times the normed input.</param>
public sealed record ColumnSums(bool Normed) : OperationKernel<ColumnSumsOp>
{
    private const int BlockColumns = 32;

    public override string Source => "training/column_sums.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<ColumnSumsArguments>();

    public override int BlockThreads => 256;

    protected override IEnumerable<(string Name, string Value)> Definitions => [("NORMED", Flag(Normed))];

    public LaunchGeometry Geometry(int columns, int count) => new(new Dim3((columns + BlockColumns - 1) / BlockColumns, count), BlockThreads);

    public KernelCost Cost(int rows, int columns, int count) => new(sizeof(float) * (((Normed ? 2L : 1) * rows * columns) + (2L * count * columns)), (Normed ? 4L : 1) * rows * columns);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this, context);

    protected override KernelLaunch Resolve(ColumnSumsOp operation, IKernelOperands operands)
    {
        KernelOperand gradient = operands.Operand(operation.Gradient), output = operands.Operand(operation.Output);
        KernelOperand? input = operands.Operand(operation.Input), moments = operands.Operand(operation.Moments);
        int columns = operands.Spec(operation.Gradient).RowElements, period = operation.Period, count = operands.Spec(operation.Output).Shape is { Rank: > 1 } table ? table[0] : 1;
        return (kernel, in run) =>
        {
            int rows = gradient.Rows(run);
            if (rows > 0)
                kernel.Launch(run.Stream, Geometry(columns, count), new ColumnSumsArguments(
                    gradient.Pointer(run), input.Pointer(run), moments.Pointer(run), output.Pointer(run), (uint)rows, (uint)columns, (uint)period));
        };
    }
}

/// <summary>As <c>training/column_sums.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct ColumnSumsArguments(DevicePointer Gradient, DevicePointer X, DevicePointer Moments, DevicePointer Output, uint Rows, uint Columns, uint Period)
{
    private readonly uint unused;
}

/// <summary>Grids of kernels that work element by element, or row by row.</summary>
internal static class TrainingGrid
{
    private const int WarpLanes = 32;

    public static LaunchGeometry WarpForEach(int rows, int blockThreads) => Of(rows, blockThreads / WarpLanes, blockThreads);

    /// <summary>Blocks of so many of them.</summary>
    public static LaunchGeometry Of(long count, int ofBlock, int blockThreads) => new(checked((int)((count + ofBlock - 1) / ofBlock)), blockThreads);
}
