namespace XComposer2.Native.Cuda;

/// <summary>A <c>CUfunction</c>: a kernel whose code is loaded into the context.</summary>
internal readonly record struct FunctionHandle(nint Value);
