using System.Diagnostics;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.GpuTests;

/// <summary>Which driver and compiler the tests run on: those that XC2_CUDA_DRIVER and XC2_NVRTC name; else a GPU; else the emulated device, built here.</summary>
internal static class DeviceLibraries
{
    private const string DriverVariable = "XC2_CUDA_DRIVER", CompilerVariable = "XC2_NVRTC";

    private static readonly TimeSpan buildLimit = TimeSpan.FromMinutes(10);

    /// <summary>Names the libraries in this process's environment, where the program looks for them, and so for whatever a test starts.</summary>
    /// <exception cref="CudaUnavailableException">There is neither.</exception>
    public static CudaOptions Find()
    {
        if (Environment.GetEnvironmentVariable(DriverVariable) is { Length: > 0 } named)
            return new CudaOptions { DriverLibrary = named };
        if (CudaAvailability.Probe().Device is not null)
            return new CudaOptions();
        string library = BuildEmulatedDevice();
        Environment.SetEnvironmentVariable(DriverVariable, library);
        Environment.SetEnvironmentVariable(CompilerVariable, library);
        return new CudaOptions { DriverLibrary = library, CompilerLibrary = library };
    }

    /// <summary>Where the program's compiled kernels stay from run to run. Each build of the emulated device has a place of its own, because it loads no
    /// other's, and folders that others filled are believed whatever compiler filled them.</summary>
    /// <param name="driver">The driver library.</param>
    public static string KernelCache(string? driver)
    {
        string build = driver is not null && File.Exists(driver) ? $"{File.GetLastWriteTimeUtc(driver).Ticks:x}" : "gpu";
        return Path.Combine(Path.GetTempPath(), "xc2-gpu-tests", build);
    }

    /// <summary>The same, of the driver that this process's tests run on.</summary>
    public static string KernelCache() => KernelCache(Environment.GetEnvironmentVariable(DriverVariable));

    /// <summary>The path of the emulated device, which is built where it is older than its sources.</summary>
    /// <exception cref="CudaUnavailableException">It cannot be built on this machine.</exception>
    public static string BuildEmulatedDevice()
    {
        string script = RepositoryPaths.Find("tests/EmulatedDevice/build.sh");
        using Process build = Process.Start(new ProcessStartInfo("sh", [script]) { RedirectStandardError = true })!;
        Task<string> errors = build.StandardError.ReadToEndAsync();
        if (!build.WaitForExit(buildLimit))
        {
            build.Kill(entireProcessTree: true);
            throw new TimeoutException($"building the emulated device took over {buildLimit.TotalMinutes} minutes");
        }

        // The script's own word for a machine without a compiler; anything else that is wrong is a failure.
        const int NoCompiler = 3;
        if (build.ExitCode == NoCompiler)
            throw new CudaUnavailableException(CudaUnavailableReason.DriverNotFound, $"there is no GPU, and no emulated device: {errors.Result.Trim()}");
        if (build.ExitCode != 0)
            throw new InvalidOperationException($"the emulated device does not build: {errors.Result}");
        return RepositoryPaths.Find("artifacts/emulated-device/libxc2_emulated.so");
    }
}
