using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Keeps tensor cores (F32: multiply-adds) as busy as mma.sync can, from registers alone: measures the limit of kernels that are bounded by arithmetic.</summary>
/// <param name="Storage">Type of the operands; sums are F32.</param>
public sealed record MmaRate(DType Storage) : KernelDefinition
{
    /// <summary>Rows of A, which is [rows, depth].</summary>
    public const int Rows = 64;

    /// <summary>Rows of B, which is [columns, depth].</summary>
    public const int Columns = 32;

    private const int ResidentBlocks = 2, WarpLanes = 32;

    /// <summary>Columns of A and B.</summary>
    public int Depth => Storage == DType.F32 ? 1 : 16;

    public override string Source => "measurement/mma_rate.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<MmaRateArguments>();

    /// <summary>Two blocks are four warps for each of a multiprocessor's tensor cores.</summary>
    public override int BlockThreads => 256;

    public override int? BlocksPerMultiprocessor(ComputeCapability capability) => ResidentBlocks;

    public override bool Serves(ComputeCapability capability) => base.Serves(capability) && (Storage != DType.BF16 || capability.Number >= 80);

    protected override IEnumerable<(string Name, string Value)> Definitions =>
    [
        ("STORAGE", Storage.CudaName()),
        ("PLAIN_ARITHMETIC", Flag(Storage == DType.F32)),
        ("BLOCKS_PER_SM", Number(ResidentBlocks)),
    ];

    /// <summary>As many blocks as the device holds at once.</summary>
    public LaunchGeometry Geometry(int multiprocessors)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(multiprocessors, 1);
        return new LaunchGeometry(multiprocessors * ResidentBlocks, BlockThreads);
    }

    /// <param name="steps">Of the launch.</param>
    /// <param name="geometry">Of the launch.</param>
    public KernelCost Cost(int steps, in LaunchGeometry geometry)
    {
        long threads = (long)geometry.Grid.X * BlockThreads;
        long bytes = (threads * sizeof(float)) + ((long)(Rows + Columns) * Depth * Storage.ElementBytes());
        return new KernelCost(bytes, threads / WarpLanes * steps * 2L * Rows * Columns * Depth);
    }

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => [ProbeCases.Of(this, context.Device, context.Counts)];
}

/// <summary>As <c>measurement/mma_rate.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct MmaRateArguments
{
    /// <param name="a">[<see cref="MmaRate.Rows"/>, <see cref="MmaRate.Depth"/>] of the storage type, aligned to 4 bytes.</param>
    /// <param name="b">[<see cref="MmaRate.Columns"/>, <see cref="MmaRate.Depth"/>], aligned to 4 bytes.</param>
    /// <param name="sums">F32 [threads of the grid].</param>
    /// <param name="steps">How often the product is added.</param>
    public MmaRateArguments(DevicePointer a, DevicePointer b, DevicePointer sums, uint steps)
    {
        A = a;
        B = b;
        Sums = sums;
        Steps = steps;
    }

    public DevicePointer A { get; }

    public DevicePointer B { get; }

    public DevicePointer Sums { get; }

    public uint Steps { get; }

    private uint Reserved { get; }
}
