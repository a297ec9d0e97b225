namespace XComposer2.Native.Cuda;

/// <summary>Compiled code, ready for <see cref="CudaLibrary.Load"/>.</summary>
/// <param name="Name">For messages: the file and the target.</param>
/// <param name="Image">A cubin, or PTX text with a zero byte at its end.</param>
/// <param name="Log">What the compiler printed; empty where it printed nothing.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record Cubin(string Name, ReadOnlyMemory<byte> Image, string Log, CubinOrigin Origin);
