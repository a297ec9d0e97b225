namespace XComposer2.Native.Cuda;

/// <summary><c>CUevent_flags</c>, the members in use.</summary>
[Flags]
internal enum EventFlags
{
    Default = 0,
    BlockingSync = 1,
    DisableTiming = 2,
}
