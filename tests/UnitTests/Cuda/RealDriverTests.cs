using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The real driver library on a machine without a GPU.</summary>
public class RealDriverTests
{
    [Fact]
    public void Real_driver_exports_all_bound_functions()
    {
        nint driver = NativeLibrary.Load(NvidiaLibraries.Driver);
        Assert.All(DriverAbiTests.Symbols(typeof(DriverFunctions)), symbol => Assert.True(NativeLibrary.TryGetExport(driver, symbol, out _), symbol));
    }

    [Fact]
    public void Real_compiler_exports_all_bound_functions()
    {
        nint compiler = NativeLibrary.Load(NvidiaLibraries.Compiler);
        Assert.All(DriverAbiTests.Symbols(typeof(CompilerFunctions)), symbol => Assert.True(NativeLibrary.TryGetExport(compiler, symbol, out _), symbol));
    }

    [Fact]
    public void Driver_without_device_is_reported()
    {
        string driver = NvidiaLibraries.Driver;
        // Not a check of /dev/nvidiactl: the library creates it if permitted.
        if (Directory.Exists("/proc/driver/nvidia")) Assert.Skip("this machine has an NVIDIA device");
        CudaAvailability found = CudaAvailability.TryOpen(new CudaOptions { DriverLibrary = driver }, out CudaContext? context);
        Assert.Null(context);
        Assert.Null(found.Device);
        Assert.Equal(CudaUnavailableReason.NoDevice, found.Reason);
        Assert.Contains("CUDA_ERROR_NO_DEVICE (100), no CUDA-capable device is detected", found.Message, StringComparison.Ordinal);
        Assert.Contains($"{driver} (CUDA 12.4)", found.Message, StringComparison.Ordinal);
        Assert.Contains("Is there an NVIDIA GPU", found.Message, StringComparison.Ordinal);
    }
}
