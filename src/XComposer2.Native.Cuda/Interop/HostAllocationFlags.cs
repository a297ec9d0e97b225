namespace XComposer2.Native.Cuda;

/// <summary>The <c>CU_MEMHOSTALLOC_</c> constants.</summary>
[Flags]
internal enum HostAllocationFlags
{
    None = 0,
    Portable = 1,
    DeviceMap = 2,
    WriteCombined = 4,
}
