namespace XComposer2.Native.Cuda;

/// <summary>A <c>CUgraphExec</c>.</summary>
internal readonly record struct GraphExecutableHandle(nint Value);
