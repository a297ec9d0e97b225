namespace XComposer2.Native.Cuda;

/// <summary><c>CUlibraryOption</c>; none is in use, the type stands in a signature.</summary>
internal enum LibraryOption
{
    HostUniversalFunctionAndDataTable = 0,
    BinaryIsPreserved = 1,
}
