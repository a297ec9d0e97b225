using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary><c>CUlaunchConfig</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LaunchConfiguration
{
    public uint GridDimX;
    public uint GridDimY;
    public uint GridDimZ;
    public uint BlockDimX;
    public uint BlockDimY;
    public uint BlockDimZ;
    public uint SharedMemBytes;
    public StreamHandle HStream;
    public LaunchAttribute* Attrs;
    public uint NumAttrs;
}

/// <summary><c>CUlaunchAttribute</c>: an identifier and a 64-byte union, of which only the members in use are named.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct LaunchAttribute
{
    [FieldOffset(0)]
    public LaunchAttributeId Id;

    [FieldOffset(8)]
    public int Cooperative;

    [FieldOffset(8)]
    public int ProgrammaticStreamSerializationAllowed;

    [FieldOffset(8)]
    public ClusterDimension ClusterDim;

    [FieldOffset(8)]
    public AccessPolicyWindow AccessPolicyWindow;
}

/// <summary><c>CUlaunchAttributeID</c>, the members in use.</summary>
internal enum LaunchAttributeId
{
    AccessPolicyWindow = 1,
    Cooperative = 2,
    ClusterDimension = 4,
    ProgrammaticStreamSerialization = 6,
}

/// <summary>The <c>clusterDim</c> of a <c>CUlaunchAttributeValue</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ClusterDimension
{
    public uint X;
    public uint Y;
    public uint Z;
}

/// <summary><c>CUaccessPolicyWindow</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AccessPolicyWindow
{
    public DevicePointer BasePtr;
    public nuint NumBytes;
    public float HitRatio;
    public AccessProperty HitProp;
    public AccessProperty MissProp;
}

/// <summary><c>CUaccessProperty</c>.</summary>
internal enum AccessProperty
{
    Normal = 0,
    Streaming = 1,
    Persisting = 2,
}
