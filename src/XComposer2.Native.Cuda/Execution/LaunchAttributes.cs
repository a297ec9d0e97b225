namespace XComposer2.Native.Cuda;

/// <summary>A geometry as the driver's list of attributes.</summary>
internal static unsafe class LaunchAttributes
{
    public const int MaximumCount = 4;

    /// <summary>Writes the attributes that the geometry has and returns how many.</summary>
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
