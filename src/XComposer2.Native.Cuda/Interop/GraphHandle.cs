namespace XComposer2.Native.Cuda;

/// <summary>A <c>CUgraph</c>.</summary>
internal readonly record struct GraphHandle(nint Value);
