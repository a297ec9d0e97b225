namespace XComposer2.Native.Cuda;

/// <summary>A <c>CUkernel</c>.</summary>
internal readonly record struct KernelHandle(nint Value);
