using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>What a GPU can do, for predictions. Figures of the manufacturer's data sheets; shares that kernels reach of them are from published measurements
/// (<c>bench/README.md</c> names them).</summary>
/// <param name="Name">On the command line and in tables.</param>
/// <param name="Device">Limits that decide tiles and grids.</param>
/// <param name="GigaHertz">Clock under load.</param>
/// <param name="MemoryBytesPerSecond">Of the data sheet.</param>
/// <param name="ReadShare">Of it that a streaming kernel reaches.</param>
/// <param name="FlopsPerClock">Of one multiprocessor's tensor cores, 16-bit with 32-bit sums.</param>
/// <param name="WarpProductShare">Of it that products of single warps (<c>mma.sync</c>) reach.</param>
/// <param name="HalfProductShare">Of it that products of single warps with 16-bit sums reach: over 1 where tensor cores form them at twice the rate.</param>
/// <param name="GroupProductShare">Of it that products of warp groups (<c>wgmma</c>) reach; 0 where there are none.</param>
/// <param name="LatencySeconds">From a read under load to its data.</param>
/// <param name="BoundarySeconds">From the end of a kernel in a graph to the first data of the next.</param>
/// <param name="OverlappedBoundarySeconds">The same where the next one begins before the end (programmatic dependent launch).</param>
public sealed record GpuModel(
    string Name, DeviceFacts Device, double GigaHertz, double MemoryBytesPerSecond, double ReadShare, int FlopsPerClock, double WarpProductShare, double HalfProductShare, double GroupProductShare,
    double LatencySeconds, double BoundarySeconds, double OverlappedBoundarySeconds)
{
    private const double Nano = 1e-9, Micro = 1e-6, Giga = 1e9;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<GpuModel> All { get; } =
    [
        new("h200", new DeviceFacts(new ComputeCapability(9, 0), 132), 1.755, 4800 * Giga, 0.925, 4096, 0.63, 0.63, 0.84, 700 * Nano, 2.5 * Micro, 1.2 * Micro),
        new("rtx-4090", new DeviceFacts(new ComputeCapability(8, 9), 128), 2.52, 1008 * Giga, 0.92, 512, 0.93, 1.5, 0, 600 * Nano, 2.5 * Micro, 2.5 * Micro),
        new("rtx-4060", new DeviceFacts(new ComputeCapability(8, 9), 24), 2.46, 272 * Giga, 0.92, 512, 0.93, 1.5, 0, 600 * Nano, 2.5 * Micro, 2.5 * Micro),
    ];

    /// <summary>The generation that kernels are compiled for.</summary>
    public CudaTarget Target => CudaTarget.Parse(Device.Capability.Number == 90 ? "sm_90a" : $"sm_{Device.Capability.Number}");

    private double ClocksPerSecond => GigaHertz * Giga;

    /// <summary>Bytes a second that all multiprocessors read while so many bytes are on their way to each.</summary>
    public double ReadRate(double bytesInFlight) => Math.Min(MemoryBytesPerSecond * ReadShare, Device.Multiprocessors * bytesInFlight / LatencySeconds);

    /// <summary>Operations a second of all tensor cores.</summary>
    /// <param name="areOfGroups">Of warp groups.</param>
    /// <param name="halfShare">Of the operations, the part whose sums are 16-bit.</param>
    public double ProductRate(bool areOfGroups, double halfShare = 0) => Device.Multiprocessors * (double)FlopsPerClock * (areOfGroups ? GroupProductShare : 1 / (((1 - halfShare) / WarpProductShare) + (halfShare / HalfProductShare))) * ClocksPerSecond;

    /// <summary>Instructions of warps a second: one for each of four schedulers.</summary>
    public double IssueRate => Device.Multiprocessors * 4 * ClocksPerSecond;

    /// <summary>Bytes a second in shared memory.</summary>
    public double SharedRate => Device.Multiprocessors * 128 * ClocksPerSecond;
}
