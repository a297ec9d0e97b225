namespace XComposer2.Native.Cuda;

/// <summary><c>CUdevice_attribute</c>, the members in use.</summary>
internal enum DeviceAttribute
{
    MaxThreadsPerBlock = 1,
    MaxSharedMemoryPerBlock = 8,
    WarpSize = 10,
    ClockRate = 13,
    MultiprocessorCount = 16,
    Integrated = 18,
    MemoryClockRate = 36,
    GlobalMemoryBusWidth = 37,
    L2CacheSize = 38,
    MaxThreadsPerMultiprocessor = 39,
    ComputeCapabilityMajor = 75,
    ComputeCapabilityMinor = 76,
    MaxSharedMemoryPerMultiprocessor = 81,
    CooperativeLaunch = 95,
    MaxSharedMemoryPerBlockOptin = 97,
    MaxPersistingL2CacheSize = 108,
    MaxAccessPolicyWindowSize = 109,
    ClusterLaunch = 120,
}
