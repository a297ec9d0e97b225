using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>All rows of an F32 matrix but the class token of each picture.</summary>
/// <param name="Output">Type of the result.</param>
/// <param name="Columns">Columns, a multiple of 4.</param>
public sealed record SelectPatches(DType Output, int Columns) : RowKernel<SelectPatchesOp>(Columns)
{
    public override string Source => "vision/select_patches.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<SelectPatchesArguments>();

    protected override IEnumerable<(string Name, string Value)> Definitions => [.. base.Definitions, ("OUTPUT", Output.CudaName())];

    public KernelCost Cost(int rows) => new((long)rows * Columns * (sizeof(float) + Output.ElementBytes()), 0);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => RowCases.Of(this, context);

    protected override KernelLaunch Resolve(SelectPatchesOp operation, IKernelOperands operands)
    {
        KernelOperand input = operands.Operand(operation.Input), output = operands.Operand(operation.Output);
        uint patches = (uint)(operation.TokensPerImage - 1);
        return (kernel, in run) =>
        {
            int rows = output.Rows(run);
            kernel.Launch(run.Stream, Geometry(rows), new SelectPatchesArguments(input.Pointer(run), output.Pointer(run), patches, (uint)rows));
        };
    }
}

/// <summary>As <c>vision/select_patches.cu</c> declares it.</summary>
/// <param name="Input">F32 [images x (patches + 1), columns].</param>
/// <param name="Output">[images x patches, columns].</param>
/// <param name="Patches">Of one picture.</param>
/// <param name="Rows">Of the output.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SelectPatchesArguments(DevicePointer Input, DevicePointer Output, uint Patches, uint Rows);
