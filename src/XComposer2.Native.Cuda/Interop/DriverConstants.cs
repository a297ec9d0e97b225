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
    VirtualMemoryManagementSupported = 102,
    MaxPersistingL2CacheSize = 108,
    MaxAccessPolicyWindowSize = 109,
    ClusterLaunch = 120,
}

/// <summary><c>CUfunction_attribute</c>, the members in use.</summary>
internal enum FunctionAttribute
{
    MaxThreadsPerBlock = 0,
    SharedSizeBytes = 1,
    ConstSizeBytes = 2,
    LocalSizeBytes = 3,
    NumRegs = 4,
    BinaryVersion = 6,
    MaxDynamicSharedSizeBytes = 8,
    NonPortableClusterSizeAllowed = 14,
}

/// <summary><c>CUlimit</c>, the members in use.</summary>
internal enum ContextLimit
{
    PersistingL2CacheSize = 6,
}

/// <summary><c>CUstream_flags</c>.</summary>
[Flags]
internal enum StreamFlags
{
    Default = 0,
    NonBlocking = 1,
}

/// <summary><c>CUevent_flags</c>, the members in use.</summary>
[Flags]
internal enum EventFlags
{
    Default = 0,
    BlockingSync = 1,
    DisableTiming = 2,
}

/// <summary>The <c>CU_MEMHOSTALLOC_</c> constants.</summary>
[Flags]
internal enum HostAllocationFlags
{
    None = 0,
    Portable = 1,
    DeviceMap = 2,
    WriteCombined = 4,
}

/// <summary><c>CUlibraryOption</c>; only for the signature, no option is used.</summary>
internal enum LibraryOption
{
    HostUniversalFunctionAndDataTable = 0,
    BinaryIsPreserved = 1,
}

/// <summary><c>CUjit_option</c>, the members in use.</summary>
internal enum JitOption
{
    ErrorLogBuffer = 5,
    ErrorLogBufferSizeBytes = 6,
}
