using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>A linear for 1 to 64 rows: the weights are read from memory once. Optionally RMSNorm of the input on the way. What a row gives does not depend on the
/// other rows, nor on how many a specialisation takes.</summary>
public sealed record LinearDecode : OperationKernel<FusedLinearOp>
{
    /// <summary>The most rows of a launch.</summary>
    public const int MaxRows = 64;

    private const int StripRows = 16, GroupRows = 8, MaxGroups = 4, WindowColumns = 64;

    // Blocks of a grid on a multiprocessor; the next kernel's first ones find registers beside them.
    private const int GridBlocks = 2, ResidentBlocks = 3;

    private const int MostStagedBytes = 64 * 1024, StaticSharedBytes = 10 * 1024;

    /// <param name="form">Sizes, types and what follows the product.</param>
    /// <param name="hasNorm">The input is the residual stream, F32, and is normed first.</param>
    /// <param name="rows">The most rows of a launch, 1 to <see cref="MaxRows"/>: fewer take less time, and all of them give the same.</param>
    /// <param name="stagesInput">The normed input waits in shared memory (<see cref="CanStage"/>): less work, the same results. Of one row, it takes an eighth of it.</param>
    /// <exception cref="ArgumentException">There is no form of the kernel for these sizes.</exception>
    public LinearDecode(LinearForm form, bool hasNorm = false, int rows = GroupRows, bool stagesInput = false)
    {
        ArgumentNullException.ThrowIfNull(form);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, MaxRows);
        form.Require();
        Form = form;
        HasNorm = hasNorm;
        BlockRows = Math.Min(GroupRows * (rows <= GroupRows ? 1 : rows <= 2 * GroupRows ? 2 : MaxGroups), rows <= GroupRows ? GroupRows : MostBlockRows);
        if (stagesInput && !(hasNorm && BlockRows == GroupRows && form.Storage != DType.F32 && StagedRowBytes * GroupRows <= MostStagedBytes))
            throw new ArgumentException($"expected at most {GroupRows} normed rows of {MostStagedBytes / GroupRows / 2} columns in 16 bits to wait in shared memory, found {form.InFeatures} columns", nameof(stagesInput));
        StagedRows = !stagesInput ? 0 : rows == 1 ? 1 : GroupRows;
    }

    /// <summary>Whether the normed input of so many rows fits in shared memory beside other blocks.</summary>
    public static bool CanStage(LinearForm form, bool hasNorm, int rows, ComputeCapability capability)
    {
        ArgumentNullException.ThrowIfNull(form);
        return hasNorm && rows <= GroupRows && form.Storage != DType.F32 && capability.Major >= 8 && WindowedBytes(form.InFeatures) * GroupRows <= MostStagedBytes;
    }

    /// <summary>Rows to make specialisations for, ascending, so that each of up to <paramref name="most"/> rows has one that is no larger than it must be.</summary>
    public static IReadOnlyList<int> SizesFor(int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, MaxRows);
        return most == 1 ? [1] : most <= GroupRows ? [GroupRows] : most <= 2 * GroupRows ? [GroupRows, 2 * GroupRows] : [GroupRows, 2 * GroupRows, MaxRows];
    }

    public LinearForm Form { get; }

    public bool HasNorm { get; }

    /// <summary>Rows of the normed input that wait in shared memory: 0, 1 or 8.</summary>
    public int StagedRows { get; }

    public bool StagesInput => StagedRows > 0;

    /// <summary>Rows of a block: 8, 16, or 32. A launch may have several blocks of the most rows that the format has registers for.</summary>
    public int BlockRows { get; }

    /// <summary>The most rows that a launch takes.</summary>
    public int LaunchRows => StagedRows == 1 ? 1 : BlockRows == MostBlockRows ? MaxRows : BlockRows;

    public override string Source => "gemm/linear_decode.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<LinearDecodeArguments>();

    public override int BlockThreads => 256;

    public override int DynamicSharedBytes => StagedRows * StagedRowBytes;

    public override int? BlocksPerMultiprocessor(ComputeCapability capability) =>
        BlockRows == MaxGroups * GroupRows && capability.Major < 8 ? 1 : BoundedBlocks;

    public override bool Serves(ComputeCapability capability) =>
        base.Serves(capability) && (Form.Storage != DType.BF16 || capability.Number >= 80);

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        .. Form.Definitions(),
        ("INPUT", HasNorm ? "f32" : Form.Storage.CudaName()),
        ("HAS_NORM", Flag(HasNorm)),
        ("ROW_GROUPS", Number(BlockRows / GroupRows)),
        ("STAGED_INPUT", Number(StagedRows)),
        ("BLOCKS_PER_SM", Number(BoundedBlocks)),
    ];

    // Columns in an order of their own are gathered one by one, which takes registers; zero points beside them, or for more rows, take all of them.
    private int BoundedBlocks => Form.Weights switch
    {
        { HasZeroPoints: true, HasGroupIndex: true } => 1,
        { HasZeroPoints: true } when BlockRows > GroupRows => 1,
        { HasGroupIndex: false } when BlockRows == GroupRows => ResidentBlocks,
        _ => GridBlocks,
    };

    private int MostBlockRows => GroupRows * (Form.Weights.IsFloat ? MaxGroups : 2);

    private int StagedRowBytes => WindowedBytes(Form.InFeatures);

    /// <summary>One wave of blocks, which share the strips of 16 rows of the weights; for more than 32 rows of the input, two of them walk side by side.</summary>
    /// <param name="rows">Of the input.</param>
    /// <param name="device">Its multiprocessors decide the grid; results do not depend on it.</param>
    public LaunchGeometry Geometry(int rows, DeviceFacts device)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, LaunchRows);
        int strips = (Form.OutFeatures + StripRows - 1) / StripRows, rowBlocks = (rows + BlockRows - 1) / BlockRows;
        long blocks = Math.Clamp(device.SharedBytesPerMultiprocessor / (DynamicSharedBytes + StaticSharedBytes), 1, Math.Min(GridBlocks, BoundedBlocks)) * device.Multiprocessors / rowBlocks;
        return new LaunchGeometry(new Dim3(rowBlocks, (int)Math.Clamp(blocks, 1, strips)), BlockThreads, DynamicSharedBytes)
        {
            OverlapsPredecessor = device.Capability.Major >= 9 && BlockRows == GroupRows,
        };
    }

    public KernelCost Cost(int rows) => Form.Cost(rows, HasNorm ? sizeof(float) : Form.Storage.ElementBytes());

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => LinearDecodeCases.Of(this, context);

    // In 16 bits, whole windows.
    private static int WindowedBytes(int columns) => (columns + WindowColumns - 1) / WindowColumns * WindowColumns * 2;

    protected override KernelLaunch Resolve(FusedLinearOp operation, IKernelOperands operands)
    {
        DeviceFacts device = operands.Device;
        LinearOperands linear = new(operation, operands);
        DevicePointer gain = operation.Norm is { } norm ? operands.Matrix(new PlainWeight(norm.Gain), Form.Storage) : default;
        float epsilon = operation.Norm?.Epsilon ?? 0;
        // Weights are read before the wait.
        bool overlaps = !linear.IsPanel;
        return (kernel, in run) => kernel.Launch(run.Stream, overlaps ? Geometry(linear.Input.Rows(run), device) : Geometry(linear.Input.Rows(run), device) with { OverlapsPredecessor = false }, new LinearDecodeArguments
        {
            Input = linear.Input.Pointer(run),
            Gain = gain,
            Weight = linear.Weight(run),
            WeightScale = linear.WeightScale,
            WeightZero = linear.WeightZero,
            ColumnOrder = linear.ColumnOrder,
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

    /// <summary>[out, in]; of 4 bits as <see cref="GroupedWeights"/> packs them.</summary>
    public DevicePointer Weight { get; init; }

    /// <summary>Scales of the weights' rows, F32 [out], or of groups, F16 as <see cref="GroupedWeights"/> packs them; null where the format has none.</summary>
    public DevicePointer WeightScale { get; init; }

    /// <summary>Zero points of groups, packed likewise.</summary>
    public DevicePointer WeightZero { get; init; }

    /// <summary>I32 [in]: the input's column for each of the weights'.</summary>
    public DevicePointer ColumnOrder { get; init; }

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

    /// <summary>1 to <see cref="LinearDecode.LaunchRows"/>.</summary>
    public int Rows { get; init; }

    public int SequenceCount { get; init; }

    /// <summary>Of the norm.</summary>
    public float Epsilon { get; init; }

    private int Reserved { get; init; }
}
