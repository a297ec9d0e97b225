using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>A linear for 1 to 8 rows: the weights are read once. Optionally RMSNorm of the input on the way.</summary>
public sealed record LinearDecode : OperationKernel<FusedLinearOp>
{
    /// <summary>The most rows of a launch.</summary>
    public const int MaxRows = 8;

    private const int StripRows = 16, ResidentBlocks = 2;

    /// <param name="form">Sizes, types and what follows the product.</param>
    /// <param name="hasNorm">The input is the residual stream, F32, and is normed first.</param>
    /// <exception cref="ArgumentException">There is no form of the kernel for these sizes.</exception>
    public LinearDecode(LinearForm form, bool hasNorm = false)
    {
        ArgumentNullException.ThrowIfNull(form);
        form.Require();
        Form = form;
        HasNorm = hasNorm;
    }

    public LinearForm Form { get; }

    public bool HasNorm { get; }

    public override string Source => "gemm/linear_decode.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<LinearDecodeArguments>();

    public override int BlockThreads => 256;

    public override int? BlocksPerMultiprocessor(ComputeCapability capability) => ResidentBlocks;

    public override bool Serves(ComputeCapability capability) =>
        base.Serves(capability) && (Form.Storage != DType.BF16 || capability.Number >= 80);

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        .. Form.Definitions(),
        ("INPUT", HasNorm ? "f32" : Form.Storage.CudaName()),
        ("HAS_NORM", Flag(HasNorm)),
        // Windows in flight: with the norm's input and gain beside them, two would spill.
        ("BATCH", HasNorm ? "1" : "2"),
        ("BLOCKS_PER_SM", Number(ResidentBlocks)),
    ];

    /// <summary>A block for each 16 rows of the weights, whatever the number of rows of the input.</summary>
    public LaunchGeometry Geometry() => new((Form.OutFeatures + StripRows - 1) / StripRows, BlockThreads);

    public KernelCost Cost(int rows) => Form.Cost(rows, HasNorm ? sizeof(float) : Form.Storage.ElementBytes());

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => LinearDecodeCases.Of(this, context);

    protected override KernelLaunch Resolve(FusedLinearOp operation, IKernelOperands operands)
    {
        LinearOperands linear = new(operation, operands);
        DevicePointer gain = operation.Norm is { } norm ? operands.Matrix(new PlainWeight(norm.Gain), Form.Storage) : default;
        float epsilon = operation.Norm?.Epsilon ?? 0;
        return (kernel, in run) => kernel.Launch(run.Stream, Geometry(), new LinearDecodeArguments
        {
            Input = linear.Input.Pointer(run),
            Gain = gain,
            Weight = linear.Weight,
            WeightScale = linear.WeightScale,
            Bias = linear.Bias,
            Residual = linear.Residual.Pointer(run),
            Output = linear.Output.Pointer(run),
            RopeTable = linear.RopeTable,
            Pages = linear.Cache.Start,
            PageBytes = linear.Cache.PageBytes,
            Sequences = linear.Sequences.Spans,
            PageTable = linear.Sequences.PageTable,
            Rows = linear.Input.Rows(run),
            SequenceCount = run.Sequences,
            Epsilon = epsilon,
        });
    }
}

/// <summary>As <c>gemm/linear_decode.cu</c> declares it. What the specialisation does not use may stay null. Matrices are aligned to 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LinearDecodeArguments
{
    /// <summary>[rows, in]; F32 where it is normed.</summary>
    public DevicePointer Input { get; init; }

    /// <summary>[in], of the norm.</summary>
    public DevicePointer Gain { get; init; }

    /// <summary>[out, in].</summary>
    public DevicePointer Weight { get; init; }

    /// <summary>F32 [out], of int8 weights.</summary>
    public DevicePointer WeightScale { get; init; }

    /// <summary>[out].</summary>
    public DevicePointer Bias { get; init; }

    /// <summary>F32 [rows, out]; may be the output.</summary>
    public DevicePointer Residual { get; init; }

    /// <summary>[rows, <see cref="LinearForm.OutputColumns"/>].</summary>
    public DevicePointer Output { get; init; }

    /// <summary>F32 [positions, head size / 2, 2]: cosine and sine.</summary>
    public DevicePointer RopeTable { get; init; }

    /// <summary>Page 0 of this layer's part of the cache.</summary>
    public DevicePointer Pages { get; init; }

    /// <summary>[<see cref="SequenceCount"/>] of <c>common/sequence_span.cuh</c>.</summary>
    public DevicePointer Sequences { get; init; }

    /// <summary>I32: physical pages.</summary>
    public DevicePointer PageTable { get; init; }

    public long PageBytes { get; init; }

    /// <summary>1 to <see cref="LinearDecode.MaxRows"/>.</summary>
    public int Rows { get; init; }

    public int SequenceCount { get; init; }

    /// <summary>Of the norm.</summary>
    public float Epsilon { get; init; }

    private int Reserved { get; init; }
}
