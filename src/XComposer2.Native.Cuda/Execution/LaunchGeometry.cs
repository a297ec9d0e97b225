using System.Globalization;

namespace XComposer2.Native.Cuda;

/// <summary>How a kernel is spread over the device.</summary>
/// <param name="Grid">Blocks.</param>
/// <param name="Block">Threads of a block.</param>
/// <param name="DynamicSharedBytes">Beyond 48 KiB, static ones included, <see cref="CudaKernel.AllowDynamicShared"/> comes first.</param>
public readonly record struct LaunchGeometry(Dim3 Grid, Dim3 Block, int DynamicSharedBytes = 0)
{
    /// <summary>Blocks of a cluster; null where the kernel has none.</summary>
    public Dim3? Cluster { get; init; }

    /// <summary>All blocks run at once, so that they may wait for each other.</summary>
    public bool IsCooperative { get; init; }

    /// <summary>The kernel may start before its predecessor in the stream ends, and waits itself (<c>griddepcontrol.wait</c>). From 9.0 on.</summary>
    public bool OverlapsPredecessor { get; init; }

    /// <summary>From 8.0 on.</summary>
    public L2Window? L2Window { get; init; }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"grid {Grid}, block {Block}, {DynamicSharedBytes} bytes of dynamic shared memory{Show(Cluster)}{Flags}{Show(L2Window)}");

    private string Flags => (IsCooperative ? ", cooperative" : string.Empty) + (OverlapsPredecessor ? ", overlapping its predecessor" : string.Empty);

    private static string Show(Dim3? cluster) => cluster is { } size ? $", cluster {size}" : string.Empty;

    private static string Show(L2Window? window) => window is { } part
        ? string.Create(CultureInfo.InvariantCulture, $", L2 window of {part.Span.LengthBytes} bytes at {part.Span.Pointer}, hit ratio {part.HitRatio}")
        : string.Empty;
}
