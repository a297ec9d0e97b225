using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Chosen rows of an F32 matrix.</summary>
/// <param name="Output">Type of the result.</param>
/// <param name="Columns">Columns, a multiple of 4.</param>
public sealed record SelectRows(DType Output, int Columns) : RowKernel<SelectRowsOp>(Columns)
{
    public override string Source => "embedding/select_rows.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<SelectRowsArguments>();

    protected override IEnumerable<(string Name, string Value)> Definitions => [.. base.Definitions, ("OUTPUT", Output.CudaName())];

    public KernelCost Cost(int rows) => new((long)rows * Columns * (sizeof(float) + Output.ElementBytes()), 0);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => RowCases.Of(this, context);

    protected override KernelLaunch Resolve(SelectRowsOp operation, IKernelOperands operands)
    {
        KernelOperand input = operands.Operand(operation.Input), rows = operands.Operand(operation.Rows), output = operands.Operand(operation.Output);
        return (kernel, in run) =>
        {
            int count = rows.Rows(run);
            kernel.Launch(run.Stream, Geometry(count), new SelectRowsArguments(input.Pointer(run), rows.Pointer(run), output.Pointer(run), (uint)input.Rows(run), (uint)count));
        };
    }
}

/// <summary>As <c>embedding/select_rows.cu</c> declares it.</summary>
/// <param name="Input">F32 [input rows, columns].</param>
/// <param name="Rows">I32 [count].</param>
/// <param name="Output">[count, columns].</param>
/// <param name="InputRows">Rows of the input.</param>
/// <param name="Count">Rows of the output.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SelectRowsArguments(DevicePointer Input, DevicePointer Rows, DevicePointer Output, uint InputRows, uint Count);
