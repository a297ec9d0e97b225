namespace XComposer2.Native.Cuda;

/// <summary>A <c>CUstream</c>.</summary>
internal readonly record struct StreamHandle(nint Value);
