using System.Globalization;

namespace XComposer2.Native.Cuda;

/// <summary>Launch configuration of a kernel.</summary>
/// <param name="Grid">Blocks.</param>
/// <param name="Block">Threads per block.</param>
/// <param name="DynamicSharedBytes">Above 48 KiB (static shared memory included), <see cref="CudaKernel.AllowDynamicShared"/> must be called first.</param>
public readonly record struct LaunchGeometry(Dim3 Grid, Dim3 Block, int DynamicSharedBytes = 0)
{
    /// <summary>Blocks per cluster; null without clusters.</summary>
    public Dim3? Cluster { get; init; }

    /// <summary>All blocks are resident at once and may wait for each other.</summary>
    public bool IsCooperative { get; init; }

    /// <summary>The kernel may start before its predecessor in the stream ends and synchronises itself (<c>griddepcontrol.wait</c>). 9.0 and newer.</summary>
    public bool OverlapsPredecessor { get; init; }

    /// <summary>L2 persistence; compute capability 8.0 and newer.</summary>
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

/// <summary>Size of a grid, a block or a cluster, x first.</summary>
public readonly record struct Dim3(int X, int Y = 1, int Z = 1)
{
    public static implicit operator Dim3(int x) => new(x);

    public static Dim3 FromInt32(int x) => new(x);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{X}x{Y}x{Z}");
}

/// <summary>L2 persistence of the accesses to a memory range during a launch.</summary>
/// <param name="Span">At most <see cref="CudaDevice.AccessPolicyWindowBytes"/> bytes.</param>
/// <param name="HitRatio">Fraction of the accesses inside the span that persist, 0 to 1; the others stream.</param>
public readonly record struct L2Window(DeviceSpan Span, float HitRatio);

/// <summary>Converts a geometry to launch attributes.</summary>
internal static unsafe class LaunchAttributes
{
    public const int MaximumCount = 4;

    /// <summary>Writes the attributes of a geometry and returns their number.</summary>
    public static uint Write(in LaunchGeometry geometry, LaunchAttribute* attributes)
    {
        uint count = 0;
        if (geometry.Cluster is { } cluster)
            attributes[count++] = new LaunchAttribute
            {
                Id = LaunchAttributeId.ClusterDimension,
                ClusterDim = new ClusterDimension { X = (uint)cluster.X, Y = (uint)cluster.Y, Z = (uint)cluster.Z },
            };
        if (geometry.IsCooperative)
            attributes[count++] = new LaunchAttribute { Id = LaunchAttributeId.Cooperative, Cooperative = 1 };
        if (geometry.OverlapsPredecessor)
            attributes[count++] = new LaunchAttribute
            {
                Id = LaunchAttributeId.ProgrammaticStreamSerialization,
                ProgrammaticStreamSerializationAllowed = 1,
            };
        if (geometry.L2Window is { } window)
            attributes[count++] = new LaunchAttribute { Id = LaunchAttributeId.AccessPolicyWindow, AccessPolicyWindow = Describe(window) };
        return count;
    }

    private static AccessPolicyWindow Describe(L2Window window) => new()
    {
        BasePtr = window.Span.Pointer,
        NumBytes = (nuint)window.Span.LengthBytes,
        HitRatio = window.HitRatio,
        HitProp = AccessProperty.Persisting,
        MissProp = AccessProperty.Streaming,
    };
}
