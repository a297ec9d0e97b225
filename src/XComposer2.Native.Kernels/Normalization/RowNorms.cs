using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>(x - mean) / sqrt(variance + eps) * gain + bias, per row. The input is F32.</summary>
/// <param name="Storage">Type of gain and bias.</param>
/// <param name="Output">Type of the result.</param>
/// <param name="Columns">Columns, a multiple of 4.</param>
public sealed record LayerNorm(DType Storage, DType Output, int Columns) : RowKernel<LayerNormOp>(Columns)
{
    public override string Source => "normalization/layer_norm.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<LayerNormArguments>();

    protected override IEnumerable<(string Name, string Value)> Definitions => [.. base.Definitions, ("STORAGE", Storage.CudaName()), ("OUTPUT", Output.CudaName())];

    public KernelCost Cost(int rows) => new(((long)rows * Columns * (sizeof(float) + Output.ElementBytes())) + (2L * Columns * Storage.ElementBytes()), 7L * rows * Columns);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => RowCases.Of(this, context);

    protected override KernelLaunch Resolve(LayerNormOp operation, IKernelOperands operands)
    {
        KernelOperand input = operands.Operand(operation.Input), output = operands.Operand(operation.Output);
        DevicePointer gain = operands.Weight(operation.Weight), bias = operands.Weight(operation.Bias);
        float epsilon = operation.Epsilon;
        return (kernel, in run) =>
        {
            int rows = input.Rows(run);
            kernel.Launch(run.Stream, Geometry(rows), new LayerNormArguments(input.Pointer(run), gain, bias, output.Pointer(run), epsilon, (uint)rows));
        };
    }
}

/// <summary>As <c>normalization/layer_norm.cu</c> declares it.</summary>
/// <param name="Input">F32 [rows, columns].</param>
/// <param name="Gain">[columns].</param>
/// <param name="Bias">[columns].</param>
/// <param name="Output">[rows, columns].</param>
/// <param name="Epsilon">Added to the variance.</param>
/// <param name="Rows">Rows.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LayerNormArguments(DevicePointer Input, DevicePointer Gain, DevicePointer Bias, DevicePointer Output, float Epsilon, uint Rows);

/// <summary>x / sqrt(mean(x²) + eps) * gain, per row. The input is F32.</summary>
/// <param name="Storage">Type of gain.</param>
/// <param name="Output">Type of the result.</param>
/// <param name="Columns">Columns, a multiple of 4.</param>
public sealed record RmsNorm(DType Storage, DType Output, int Columns) : RowKernel<RmsNormOp>(Columns)
{
    public override string Source => "normalization/rms_norm.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<RmsNormArguments>();

    protected override IEnumerable<(string Name, string Value)> Definitions => [.. base.Definitions, ("STORAGE", Storage.CudaName()), ("OUTPUT", Output.CudaName())];

    public KernelCost Cost(int rows) => new(((long)rows * Columns * (sizeof(float) + Output.ElementBytes())) + (Columns * Storage.ElementBytes()), 4L * rows * Columns);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => RowCases.Of(this, context);

    protected override KernelLaunch Resolve(RmsNormOp operation, IKernelOperands operands)
    {
        KernelOperand input = operands.Operand(operation.Input), output = operands.Operand(operation.Output);
        DevicePointer gain = operands.Weight(operation.Weight);
        float epsilon = operation.Epsilon;
        return (kernel, in run) =>
        {
            int rows = input.Rows(run);
            kernel.Launch(run.Stream, Geometry(rows), new RmsNormArguments(input.Pointer(run), gain, output.Pointer(run), epsilon, (uint)rows));
        };
    }
}

/// <summary>As <c>normalization/rms_norm.cu</c> declares it.</summary>
/// <param name="Input">F32 [rows, columns].</param>
/// <param name="Gain">[columns].</param>
/// <param name="Output">[rows, columns].</param>
/// <param name="Epsilon">Added to the mean of squares.</param>
/// <param name="Rows">Rows.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct RmsNormArguments(DevicePointer Input, DevicePointer Gain, DevicePointer Output, float Epsilon, uint Rows);
