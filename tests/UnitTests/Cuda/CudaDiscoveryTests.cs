using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Error messages when CUDA is unavailable.</summary>
[Collection(FakeDriver.Collection)]
public class CudaDiscoveryTests
{
    [Fact]
    public void Missing_driver_error_lists_tried_locations()
    {
        CudaAvailability found = CudaAvailability.Probe(new CudaOptions { DriverLibrary = "/nowhere/libcuda.so.1" });
        Assert.Equal(CudaUnavailableReason.DriverNotFound, found.Reason);
        Assert.Equal(
            "the CUDA driver library was not found (tried only what an option names, /nowhere/libcuda.so.1: no such file). "
            + "Install an NVIDIA driver for CUDA 12.0 or newer (525.60 on Linux, 527.41 on Windows), or set XC2_CUDA_DRIVER to the path of its library",
            found.Message);
    }

    [Fact]
    public void Variable_is_the_only_candidate_if_set()
    {
        CudaUnavailableException missing = Refused(() => CudaDriver.Load(null, name => name == "XC2_CUDA_DRIVER" ? "libno-such-driver.so" : null));
        Assert.Equal(CudaUnavailableReason.DriverNotFound, missing.Reason);
        Assert.Contains("(tried only what XC2_CUDA_DRIVER names, libno-such-driver.so: not found by the loader)", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Option_overrides_the_variable()
    {
        CudaUnavailableException missing = Refused(() => CudaDriver.Load("/nowhere/a.so", _ => "/nowhere/b.so"));
        Assert.Contains("/nowhere/a.so", missing.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("/nowhere/b.so", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_library_file_error_quotes_the_loader()
    {
        string folder = Directory.CreateTempSubdirectory("xc2-library").FullName, file = Path.Combine(folder, "libcuda.so.1");
        File.WriteAllText(file, "not a library");
        CudaUnavailableException missing = Refused(() => CudaDriver.Load(file));
        Directory.Delete(folder, recursive: true);
        Assert.Equal(CudaUnavailableReason.DriverNotFound, missing.Reason);
        Assert.Contains($"{file}: does not load, ", missing.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', missing.Message);
    }

    [Fact]
    public void Library_without_driver_exports_is_rejected()
    {
        FakeDriver driver = new();
        driver.Remove("cuLaunchKernelEx");
        CudaUnavailableException missing = Refused(() => new CudaDriver(driver));
        Assert.Equal(CudaUnavailableReason.LibraryUnusable, missing.Reason);
        Assert.Equal("libfake.so does not export cuLaunchKernelEx: it is not an NVIDIA library of CUDA 12.0 or newer", missing.Message);
    }

    [Fact]
    public void Old_and_broken_drivers_have_different_errors()
    {
        FakeDriver driver = new() { Version = 11080 };
        driver.Remove("cuLibraryLoadData");
        CudaUnavailableException old = Refused(() => new CudaDriver(driver));
        Assert.Equal(CudaUnavailableReason.DriverTooOld, old.Reason);
        Assert.StartsWith("the CUDA driver libfake.so is too old: it supports CUDA 11.8; install a driver for CUDA 12.0 or newer", old.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Driver_start_failure_states_the_reason()
    {
        FakeDriver driver = new();
        driver.Failures["cuInit"] = CudaResult.SystemDriverMismatch;
        CudaUnavailableException broken = Refused(() => new CudaDriver(driver));
        Assert.Equal(CudaUnavailableReason.InitializationFailed, broken.Reason);
        Assert.Contains("cuInit returned SystemDriverMismatch (803); library and kernel module have different driver versions", broken.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_device_and_broken_driver_have_different_errors()
    {
        Assert.Equal(CudaUnavailableReason.NoDevice, Refused(() => new CudaDriver(new FakeDriver { Devices = 0 })).Reason);
        FakeDriver driver = new();
        driver.Failures["cuInit"] = CudaResult.NoDevice;
        Assert.Equal(CudaUnavailableReason.NoDevice, Refused(() => new CudaDriver(driver)).Reason);
    }

    [Fact]
    public void Unknown_device_ordinal_error_lists_existing_devices()
    {
        CudaDriver driver = new(new FakeDriver { Devices = 2 });
        CudaUnavailableException missing = Refused(() => driver.GetDevice(2));
        Assert.Equal(CudaUnavailableReason.NoDevice, missing.Reason);
        Assert.Equal("there is no CUDA device 2: the driver lists 0, Fake GPU (compute capability 9.0); 1, Fake GPU (compute capability 9.0)", missing.Message);
    }

    [Theory]
    [InlineData(61, false)]
    [InlineData(70, false)]
    [InlineData(75, true)]
    [InlineData(120, true)]
    public void Device_below_the_minimum_capability_is_rejected(int capability, bool isServed)
    {
        CudaDriver driver = new(new FakeDriver { Capability = capability });
        if (isServed) Assert.Equal(capability, driver.GetDevice(0).Capability.Number);
        else Assert.Equal(CudaUnavailableReason.DeviceTooOld, Refused(() => driver.GetDevice(0)).Reason);
    }

    [Fact]
    public void Context_creation_failure_states_the_reason()
    {
        FakeDriver driver = new();
        CudaDevice device = new CudaDriver(driver).GetDevice(0);
        driver.Failures["cuDevicePrimaryCtxRetain"] = CudaResult.OutOfMemory;
        CudaUnavailableException busy = Refused(() => CudaContext.Open(device));
        Assert.Equal(CudaUnavailableReason.ContextFailed, busy.Reason);
        Assert.Contains("cuDevicePrimaryCtxRetain (device 0) failed: CUDA_ERROR_OUT_OF_MEMORY (2), out of memory", busy.Message, StringComparison.Ordinal);
        Assert.Empty(driver.Alive);
    }

    [Fact]
    public void Device_properties_match_the_driver_attributes()
    {
        CudaDevice device = new CudaDriver(new FakeDriver()).GetDevice(0);
        Assert.Equal(("Fake GPU", 80_000_000_000, "9.0"), (device.Name, device.MemoryBytes, device.Capability.ToString()));
        Assert.Equal((16, 39, 97, 81), (device.MultiprocessorCount, device.MaxThreadsPerMultiprocessor, device.SharedBytesPerBlock, device.SharedBytesPerMultiprocessor));
        Assert.Equal((38, 108, 109), (device.L2Bytes, device.PersistingL2Bytes, device.AccessPolicyWindowBytes));
        Assert.Equal((13, 36, 37), (device.ClockKilohertz, device.MemoryClockKilohertz, device.MemoryBusBits));
    }

    private static CudaUnavailableException Refused(Func<object> action) => Assert.Throws<CudaUnavailableException>(action);
}
