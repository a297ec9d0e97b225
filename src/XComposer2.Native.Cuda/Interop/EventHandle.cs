namespace XComposer2.Native.Cuda;

/// <summary>A <c>CUevent</c>.</summary>
internal readonly record struct EventHandle(nint Value);
