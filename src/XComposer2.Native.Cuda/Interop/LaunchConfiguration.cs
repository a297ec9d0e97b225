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
