using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>A linear for 1 to 8 rows: the weights are read once. Optionally RMSNorm of the input on the way.</summary>
public sealed record LinearDecode : KernelDefinition
{
    /// <summary>The most rows of a launch.</summary>
    public const int MaxRows = 8;

    private const int StripRows = 16;

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

    public override bool Serves(ComputeCapability capability) =>
        base.Serves(capability) && (Form.Storage != KernelStorage.BF16 || capability.Number >= 80);

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        .. Form.Definitions(),
        ("INPUT", HasNorm ? "f32" : Form.Storage.CudaName()),
        ("HAS_NORM", Flag(HasNorm)),
        // Windows in flight: with the norm's input and gain beside them, two would spill.
        ("BATCH", HasNorm ? "1" : "2"),
        ("BLOCKS_PER_SM", "2"),
    ];

    /// <summary>A block for each 16 rows of the weights, whatever the number of rows of the input.</summary>
    public LaunchGeometry Geometry() => new((Form.OutFeatures + StripRows - 1) / StripRows, BlockThreads);

    public KernelCost Cost(int rows) => Form.Cost(rows, HasNorm ? sizeof(float) : Form.Storage.ElementBytes());
}
