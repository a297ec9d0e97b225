namespace XComposer2.Native.Cuda;

/// <summary><c>CUlimit</c>, the members in use.</summary>
internal enum ContextLimit
{
    PersistingL2CacheSize = 6,
}
