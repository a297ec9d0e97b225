namespace XComposer2.Native.Cuda;

/// <summary>A <c>CUlibrary</c>.</summary>
internal readonly record struct LibraryHandle(nint Value);
