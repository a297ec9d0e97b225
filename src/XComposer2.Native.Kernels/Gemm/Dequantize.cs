using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Weights of integers in the storage type, for the kernels of many rows: (q - zero) · scale, rounded once.</summary>
public sealed record Dequantize : OperationKernel<DequantizeOp>
{
    private const int WarpLanes = 32;

    /// <param name="storage">Of the panel.</param>
    /// <param name="format">Integers.</param>
    /// <param name="inFeatures">Columns.</param>
    /// <param name="outFeatures">Rows.</param>
    /// <exception cref="ArgumentException">Floating numbers, or sizes that the format has no units for.</exception>
    public Dequantize(DType storage, WeightFormat format, int inFeatures, int outFeatures)
    {
        DeviceWeights device = DeviceWeights.Of(format);
        if (format.IsFloat)
            throw new ArgumentException($"expected integers, found {format}", nameof(format));
        if (inFeatures < 1 || inFeatures % device.ColumnMultiple != 0)
            throw new ArgumentOutOfRangeException(nameof(inFeatures), inFeatures, $"expected a multiple of {device.ColumnMultiple}");
        if (outFeatures < 1 || outFeatures % device.RowMultiple != 0)
            throw new ArgumentOutOfRangeException(nameof(outFeatures), outFeatures, $"expected a multiple of {device.RowMultiple}");
        Storage = storage;
        Format = format;
        InFeatures = inFeatures;
        OutFeatures = outFeatures;
    }

    public DType Storage { get; }

    public WeightFormat Format { get; }

    public int InFeatures { get; }

    public int OutFeatures { get; }

    public override string Source => "gemm/dequantize.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<DequantizeArguments>();

    public override int BlockThreads => 256;

    public override bool Serves(ComputeCapability capability) => base.Serves(capability) && (Storage != DType.BF16 || capability.Number >= 80);

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        ("STORAGE", Storage.CudaName()),
        .. DeviceWeights.Of(Format).Definitions(),
        ("IN_FEATURES", Number(InFeatures)),
        ("OUT_FEATURES", Number(OutFeatures)),
    ];

    /// <summary>A warp for each unit of 16 rows and 64 columns.</summary>
    public LaunchGeometry Geometry()
    {
        int units = (InFeatures + GroupedWeights.UnitColumns - 1) / GroupedWeights.UnitColumns, warps = BlockThreads / WarpLanes;
        return new LaunchGeometry(new Dim3((units + warps - 1) / warps, (OutFeatures + GroupedWeights.StripRows - 1) / GroupedWeights.StripRows), BlockThreads);
    }

    public KernelCost Cost()
    {
        long elements = (long)InFeatures * OutFeatures;
        return new KernelCost(Format.Bytes(new Shape(OutFeatures, InFeatures)) + Storage.Bytes(elements), elements);
    }

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => DequantizeCases.Of(this);

    protected override KernelLaunch Resolve(DequantizeOp operation, IKernelOperands operands)
    {
        DeviceMatrix weight = operands.Matrix(operation.Weight, operation.Format);
        KernelOperand panel = operands.Operand(operation.Output);
        return (kernel, in run) => kernel.Launch(
            run.Stream, Geometry(), new DequantizeArguments(weight.Elements, weight.Scales, weight.ZeroPoints, weight.ColumnOrder, panel.Pointer(run)));
    }
}

/// <summary>As <c>gemm/dequantize.cu</c> declares it. What the format does not have may stay null.</summary>
/// <param name="Weight">As the decode kernel reads it.</param>
/// <param name="WeightScale">F32 [out], or F16 of groups.</param>
/// <param name="WeightZero">Of groups.</param>
/// <param name="ColumnOrder">I32 [in]: the panel's column for each of the weights'.</param>
/// <param name="Panel">[out, in], aligned to 16 bytes.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct DequantizeArguments(
    DevicePointer Weight, DevicePointer WeightScale, DevicePointer WeightZero, DevicePointer ColumnOrder, DevicePointer Panel);
