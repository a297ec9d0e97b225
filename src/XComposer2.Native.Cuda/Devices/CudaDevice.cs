using System.Globalization;
using System.Text;

namespace XComposer2.Native.Cuda;

/// <summary>A GPU and its properties.</summary>
public sealed unsafe class CudaDevice
{
    private const int NameBytes = 256;

    internal CudaDevice(CudaDriver driver, int ordinal)
    {
        Driver = driver;
        Ordinal = ordinal;
        DeviceHandle handle;
        driver.Check(driver.Functions.cuDeviceGet(&handle, ordinal), nameof(DriverFunctions.cuDeviceGet), $"device {ordinal}");
        Handle = handle;
        Name = ReadName();
        nuint memory;
        driver.Check(driver.Functions.cuDeviceTotalMem_v2(&memory, handle), nameof(DriverFunctions.cuDeviceTotalMem_v2), $"device {ordinal}");
        MemoryBytes = (long)memory;
        Capability = new ComputeCapability(Read(DeviceAttribute.ComputeCapabilityMajor), Read(DeviceAttribute.ComputeCapabilityMinor));
        MultiprocessorCount = Read(DeviceAttribute.MultiprocessorCount);
        MaxThreadsPerMultiprocessor = Read(DeviceAttribute.MaxThreadsPerMultiprocessor);
        SharedBytesPerBlock = Read(DeviceAttribute.MaxSharedMemoryPerBlockOptin);
        SharedBytesPerMultiprocessor = Read(DeviceAttribute.MaxSharedMemoryPerMultiprocessor);
        L2Bytes = Read(DeviceAttribute.L2CacheSize);
        PersistingL2Bytes = Read(DeviceAttribute.MaxPersistingL2CacheSize);
        AccessPolicyWindowBytes = Read(DeviceAttribute.MaxAccessPolicyWindowSize);
        ClockKilohertz = Read(DeviceAttribute.ClockRate);
        MemoryClockKilohertz = Read(DeviceAttribute.MemoryClockRate);
        MemoryBusBits = Read(DeviceAttribute.GlobalMemoryBusWidth);
        SupportsCooperativeLaunch = Read(DeviceAttribute.CooperativeLaunch) != 0;
        SupportsClusterLaunch = Read(DeviceAttribute.ClusterLaunch) != 0;
        MapsVirtualMemory = Read(DeviceAttribute.VirtualMemoryManagementSupported) != 0;
        IsIntegrated = Read(DeviceAttribute.Integrated) != 0;
    }

    public CudaDriver Driver { get; }

    /// <summary>Index among the devices visible to this process.</summary>
    public int Ordinal { get; }

    public string Name { get; }

    public ComputeCapability Capability { get; }

    public long MemoryBytes { get; }

    public int MultiprocessorCount { get; }

    public int MaxThreadsPerMultiprocessor { get; }

    /// <summary>Maximum shared memory per block with opt-in; without opt-in the limit is 48 KiB.</summary>
    public long SharedBytesPerBlock { get; }

    public long SharedBytesPerMultiprocessor { get; }

    public long L2Bytes { get; }

    /// <summary>Maximum for <see cref="CudaContext.SetPersistingL2"/>; 0 before compute capability 8.0.</summary>
    public long PersistingL2Bytes { get; }

    /// <summary>Maximum size of an <see cref="L2Window"/>; 0 before compute capability 8.0.</summary>
    public long AccessPolicyWindowBytes { get; }

    /// <summary>0 if unknown.</summary>
    public int ClockKilohertz { get; }

    /// <summary>0 if unknown.</summary>
    public int MemoryClockKilohertz { get; }

    public int MemoryBusBits { get; }

    public bool SupportsCooperativeLaunch { get; }

    public bool SupportsClusterLaunch { get; }

    /// <summary>Memory can be mapped behind reserved addresses (<see cref="GrowingDeviceMemory"/>).</summary>
    public bool MapsVirtualMemory { get; }

    /// <summary>The device shares the host's memory.</summary>
    public bool IsIntegrated { get; }

    internal DeviceHandle Handle { get; }

    public override string ToString() => $"{Name} (compute capability {Capability})";

    private int Read(DeviceAttribute attribute)
    {
        int value;
        Driver.Check(
            Driver.Functions.cuDeviceGetAttribute(&value, attribute, Handle),
            nameof(DriverFunctions.cuDeviceGetAttribute), $"device {Ordinal}, {attribute}");
        return value;
    }

    private string ReadName()
    {
        byte* name = stackalloc byte[NameBytes];
        Driver.Check(Driver.Functions.cuDeviceGetName(name, NameBytes, Handle), nameof(DriverFunctions.cuDeviceGetName), $"device {Ordinal}");
        ReadOnlySpan<byte> text = new(name, NameBytes);
        int end = text.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? text : text[..end]);
    }
}

/// <summary>Compute capability of a GPU: 8.6 is sm_86.</summary>
public readonly record struct ComputeCapability(int Major, int Minor)
{
    /// <summary>Architecture number in NVRTC's notation: 86, 90, 120.</summary>
    public int Number => (10 * Major) + Minor;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");
}
