namespace XComposer2.Native.Cuda;

/// <summary><c>CUjit_option</c>, the members in use.</summary>
internal enum JitOption
{
    ErrorLogBuffer = 5,
    ErrorLogBufferSizeBytes = 6,
}
