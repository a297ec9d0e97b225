using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary><c>CUDA_KERNEL_NODE_PARAMS</c>, second version. Either <see cref="Func"/> or <see cref="Kern"/> is set.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct KernelNodeParameters
{
    public FunctionHandle Func;
    public uint GridDimX;
    public uint GridDimY;
    public uint GridDimZ;
    public uint BlockDimX;
    public uint BlockDimY;
    public uint BlockDimZ;
    public uint SharedMemBytes;
    public void** KernelParams;
    public void** Extra;
    public KernelHandle Kern;
    public ContextHandle Ctx;
}

/// <summary><c>CUgraphInstantiate_flags</c>; the parameter is 64 bits wide.</summary>
[Flags]
internal enum GraphInstantiateFlags : ulong
{
    None = 0,
    UseNodePriority = 8,
}

/// <summary><c>CUgraphExecUpdateResultInfo</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GraphUpdateInfo
{
    public GraphUpdateResult Result;
    public GraphNode ErrorNode;
    public GraphNode ErrorFromNode;
}

/// <summary><c>CUstreamCaptureStatus</c>.</summary>
internal enum CaptureStatus
{
    None = 0,
    Active = 1,
    Invalidated = 2,
}
