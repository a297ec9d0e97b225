namespace XComposer2.Native.Cuda;

/// <summary>A <c>CUfunction</c>; the driver takes a <c>CUkernel</c> in its place.</summary>
internal readonly record struct FunctionHandle(nint Value);
