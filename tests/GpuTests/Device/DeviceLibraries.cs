using XComposer2.Native.Cuda;

namespace XComposer2.Native.GpuTests;

/// <summary>Which driver and compiler the tests run on.</summary>
internal static class DeviceLibraries
{
    private const string DriverVariable = "XC2_CUDA_DRIVER";

    /// <summary>What XC2_CUDA_DRIVER and XC2_NVRTC name; where they name nothing, a GPU.</summary>
    public static CudaOptions Find() => new()
    {
        DriverLibrary = Environment.GetEnvironmentVariable(DriverVariable) is { Length: > 0 } named ? named : null,
    };
}
