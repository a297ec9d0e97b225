using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The products of training, over sizes that the launch gives.</summary>
/// <param name="Form">Which product.</param>
/// <param name="Operand">BF16 for tensor cores, or F32.</param>
/// <param name="Right">Type of the right matrix in memory.</param>
/// <param name="Tile">Rows and columns of a block: 64 or 128.</param>
public sealed record MatrixProduct(ProductForm Form, DType Operand, DType Right, int Tile) : OperationKernel<MatrixProductOp>
{
    private const int WarpLanes = 32, WarpColumns = 32;

    public override string Source => "training/matrix_product.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<MatrixProductArguments>();

    public override int BlockThreads => 2 * (Tile / WarpColumns) * WarpLanes;

    public override bool Serves(ComputeCapability capability) => capability.Number >= 80;

    protected override IEnumerable<(string Name, string Value)> Definitions =>
        [("FORM", Number((int)Form)), ("OPERAND", Operand.CudaName()), ("RIGHT", Right.CudaName()), ("TILE", Number(Tile))];

    /// <summary>The kernel for a result of so many rows and columns. Multiply-adds have one tile; on tensor cores a small result is shared by more blocks.</summary>
    public static MatrixProduct Choose(ProductForm form, DType operand, DType right, int rows, int columns) =>
        new(form, operand, right, operand == DType.BF16 && rows > 64 && columns > 64 ? 128 : 64);

    /// <summary>A block for each tile; those of a column of tiles follow each other.</summary>
    public LaunchGeometry Geometry(int rows, int columns) => new(new Dim3((rows + Tile - 1) / Tile, (columns + Tile - 1) / Tile), BlockThreads);

    public KernelCost Cost(int rows, int columns, int depth) => new(
        ((Form == ProductForm.WeightGradient ? 2 : 1) * sizeof(float) * (long)rows * columns) + (sizeof(float) * (long)rows * depth) + Right.Bytes((long)columns * depth), 2L * rows * columns * depth);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this, context);

    protected override KernelLaunch Resolve(MatrixProductOp operation, IKernelOperands operands)
    {
        KernelOperand left = operands.Operand(operation.Left), right = operands.Operand(operation.Right), output = operands.Operand(operation.Output);
        KernelOperand? bias = operands.Operand(operation.Bias), addend = operands.Operand(operation.Addend), visualRow = operands.Operand(operation.VisualRow);
        int leftColumns = operands.Spec(operation.Left).RowElements, rightColumns = operands.Spec(operation.Right).RowElements, outputColumns = operands.Spec(operation.Output).RowElements;
        RowPiece piece = operation.Piece ?? new RowPiece(0, int.MaxValue);
        (float scale, bool accumulates) = (operation.Scale, operation.Accumulates);
        return (kernel, in run) =>
        {
            DevicePointer a = left.Pointer(run), b = right.Pointer(run), c = output.Pointer(run);
            int rows, columns = outputColumns, depth = leftColumns;
            switch (operation.Form)
            {
                case ProductForm.Linear:
                    rows = piece.Within(left.Rows(run));
                    a += (long)piece.First * depth * sizeof(float);
                    break;
                case ProductForm.InputGradient:
                    rows = piece.Within(output.Rows(run));
                    c += (long)piece.First * columns * sizeof(float);
                    break;
                default:
                    (rows, columns, depth) = (leftColumns, rightColumns, piece.Within(right.Rows(run)));
                    b += (long)piece.First * columns * sizeof(float);
                    break;
            }

            if (rows == 0 || (accumulates && depth == 0))
                return;
            kernel.Launch(run.Stream, Geometry(rows, columns), new MatrixProductArguments(
                a, b, bias.Pointer(run), addend.Pointer(run), visualRow.Pointer(run), c, (uint)rows, (uint)columns, (uint)depth, scale, accumulates ? 1u : 0u));
        };
    }
}

/// <summary>As <c>training/matrix_product.cu</c> declares it.</summary>
/// <param name="A">F32 [rows, depth]; by the weight: [depth, rows].</param>
/// <param name="B">[columns, depth]; gradients: [depth, columns].</param>
/// <param name="Bias">F32 [columns]; null for none.</param>
/// <param name="Addend">F32 [rows, columns]; null for none.</param>
/// <param name="VisualRow">I32 for each row of A in memory; null for all.</param>
/// <param name="C">F32 [rows, columns].</param>
/// <param name="Rows">Rows of C.</param>
/// <param name="Columns">Columns of C.</param>
/// <param name="Depth">Terms of each sum.</param>
/// <param name="Scale">Of the product.</param>
/// <param name="Accumulates">1 where C is added to.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct MatrixProductArguments(
    DevicePointer A, DevicePointer B, DevicePointer Bias, DevicePointer Addend, DevicePointer VisualRow, DevicePointer C, uint Rows, uint Columns, uint Depth, float Scale, uint Accumulates)
{
    private readonly uint unused;
}
