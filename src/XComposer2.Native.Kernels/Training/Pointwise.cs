using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>A function of each element.</summary>
public sealed record Pointwise(PointwiseFunction Function) : OperationKernel<PointwiseOp>
{
    private const int ThreadElements = 4;

    public override string Source => "training/pointwise.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<PointwiseArguments>();

    public override int BlockThreads => 256;

    protected override IEnumerable<(string Name, string Value)> Definitions => [("FUNCTION", Number((int)Function))];

    /// <summary>Matrices that the function reads.</summary>
    public int Inputs => Function switch
    {
        PointwiseFunction.SiluGateGradient => 3,
        PointwiseFunction.Scale or PointwiseFunction.QuickGelu or PointwiseFunction.Gelu or PointwiseFunction.Dropout => 1,
        _ => 2,
    };

    public LaunchGeometry Geometry(long count) => TrainingGrid.Of(count, BlockThreads * ThreadElements, BlockThreads);

    public KernelCost Cost(long count) => new((Inputs + 1) * sizeof(float) * count, 4 * count);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this, context);

    /// <summary>The argument of dropout at a rate: what is below the limit is dropped, the rest is scaled.</summary>
    public static PointwiseArguments Drop(DevicePointer input, DevicePointer seed, int stream, float rate, DevicePointer output, long count) =>
        rate is >= 0 and < 1
            ? new(input, default, default, output, (ulong)count, seed, 1 / (1 - rate), (uint)stream, (uint)(rate * (double)(1L << 32)))
            : throw new ArgumentOutOfRangeException(nameof(rate), rate, "expected 0 or more, below 1");

    protected override KernelLaunch Resolve(PointwiseOp operation, IKernelOperands operands)
    {
        KernelOperand a = operands.Operand(operation.A), output = operands.Operand(operation.Output);
        KernelOperand? b = operands.Operand(operation.B), c = operands.Operand(operation.C), seed = operands.Operand(operation.Seed);
        int columns = operands.Spec(operation.Output).RowElements;
        return (kernel, in run) =>
        {
            long count = (long)output.Rows(run) * columns;
            PointwiseArguments arguments = operation.Function == PointwiseFunction.Dropout
                ? Drop(a.Pointer(run), seed.Pointer(run), operation.Stream, operation.Scale, output.Pointer(run), count)
                : new PointwiseArguments(a.Pointer(run), b.Pointer(run), c.Pointer(run), output.Pointer(run), (ulong)count, default, operation.Scale, 0, 0);
            kernel.Launch(run.Stream, Geometry(count), arguments);
        };
    }
}

/// <summary>As <c>training/pointwise.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct PointwiseArguments(
    DevicePointer A, DevicePointer B, DevicePointer C, DevicePointer Output, ulong Count, DevicePointer Seed, float Scale, uint Stream, uint Limit)
{
    private readonly uint unused;
}

/// <summary>Losses of rows of logits, the gradients of the logits, or scores.</summary>
public sealed record TokenLoss(TokenLossFunction Function) : OperationKernel<PieceLossOp>
{
    public override string Source => "training/token_loss.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<TokenLossArguments>();

    public override int BlockThreads => 256;

    protected override IEnumerable<(string Name, string Value)> Definitions => [("FUNCTION", Number((int)Function))];

    /// <summary>A block a row.</summary>
    public LaunchGeometry Geometry(int rows) => new(rows, BlockThreads);

    public KernelCost Cost(int rows, int columns) => new((Function == TokenLossFunction.Gradient ? 2L : 1) * sizeof(float) * rows * columns, 4L * rows * columns);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this, context);

    protected override KernelLaunch Resolve(PieceLossOp operation, IKernelOperands operands)
    {
        KernelOperand logits = operands.Operand(operation.Logits), targets = operands.Operand(operation.Targets), output = operands.Operand(operation.Output);
        KernelOperand? factors = operands.Operand(operation.Factors);
        uint columns = (uint)operands.Spec(operation.Logits).RowElements;
        RowPiece piece = operation.Piece;
        long first = (long)piece.First * sizeof(float), result = Function switch { TokenLossFunction.Loss => first, TokenLossFunction.Score => 2 * first, _ => 0 };
        return (kernel, in run) =>
        {
            int rows = piece.Within(targets.Rows(run));
            if (rows > 0)
                kernel.Launch(run.Stream, Geometry(rows), new TokenLossArguments(
                    logits.Pointer(run), targets.Pointer(run) + first, factors is null ? default : factors.Pointer(run) + first, output.Pointer(run) + result, (uint)rows, columns));
        };
    }
}

/// <summary>As <c>training/token_loss.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct TokenLossArguments(DevicePointer Logits, DevicePointer Targets, DevicePointer Factors, DevicePointer Output, uint Rows, uint Columns);
