namespace XComposer2.Native.Cuda;

/// <summary><c>CUstream_flags</c>.</summary>
[Flags]
internal enum StreamFlags
{
    Default = 0,
    NonBlocking = 1,
}
