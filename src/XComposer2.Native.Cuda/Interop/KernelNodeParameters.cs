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
