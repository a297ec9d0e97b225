using XComposer2.Native.Cuda;

namespace XComposer2.Native;

/// <summary>Tells failures of a GPU from all others, and says them to the user.</summary>
internal static class DeviceFailure
{
    /// <summary>Whether a GPU seems to be there; most machines have none, and no one there wants to read so at every start.</summary>
    public static bool IsOfPresentDevice(Exception failure) =>
        failure is not CudaUnavailableException { Reason: CudaUnavailableReason.DriverNotFound or CudaUnavailableReason.NoDevice };

    /// <summary>A sentence; null where the failure is not the device's.</summary>
    public static string? Describe(Exception failure) => failure switch
    {
        CudaUnavailableException or NvrtcException or KernelSourceException => failure.Message,
        CudaException { Result: CudaResult.OutOfMemory } => $"{failure.Message}. A shorter context takes less; what else runs on the GPU takes some too",
        CudaException => failure.Message,
        _ => null,
    };
}
