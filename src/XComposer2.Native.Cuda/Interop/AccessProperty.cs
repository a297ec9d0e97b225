namespace XComposer2.Native.Cuda;

/// <summary><c>CUaccessProperty</c>.</summary>
internal enum AccessProperty
{
    Normal = 0,
    Streaming = 1,
    Persisting = 2,
}
