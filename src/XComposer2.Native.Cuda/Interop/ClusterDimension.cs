using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>The <c>clusterDim</c> of a <c>CUlaunchAttributeValue</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ClusterDimension
{
    public uint X;
    public uint Y;
    public uint Z;
}
