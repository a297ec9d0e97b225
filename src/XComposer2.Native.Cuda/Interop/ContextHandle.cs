namespace XComposer2.Native.Cuda;

/// <summary>A <c>CUcontext</c>.</summary>
internal readonly record struct ContextHandle(nint Value);
