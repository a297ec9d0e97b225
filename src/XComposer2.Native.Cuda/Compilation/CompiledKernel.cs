namespace XComposer2.Native.Cuda;

/// <summary>What NVRTC made of a program.</summary>
/// <param name="Image">A cubin, or PTX text with a zero byte at its end.</param>
/// <param name="Log">Warnings, and what <c>--ptxas-options=-v</c> prints; empty where there is nothing.</param>
public sealed record CompiledKernel(ReadOnlyMemory<byte> Image, string Log);
