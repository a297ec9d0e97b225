using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary><c>CUgraphExecUpdateResultInfo</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GraphUpdateInfo
{
    public GraphUpdateResult Result;
    public GraphNode ErrorNode;
    public GraphNode ErrorFromNode;
}
