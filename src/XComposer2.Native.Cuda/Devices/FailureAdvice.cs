namespace XComposer2.Native.Cuda;

/// <summary>What a reader of an error code should know and the driver does not say.</summary>
internal static class FailureAdvice
{
    /// <summary>A clause that follows the error's name; empty where there is nothing to add.</summary>
    public static string For(CudaResult result) => result switch
    {
        CudaResult.IllegalAddress or CudaResult.LaunchTimeout or CudaResult.HardwareStackError or CudaResult.IllegalInstruction
            or CudaResult.MisalignedAddress or CudaResult.InvalidAddressSpace or CudaResult.InvalidPc or CudaResult.LaunchFailed =>
            "; a kernel that was launched earlier may be at fault, and this context is lost",
        CudaResult.NoBinaryForGpu => "; the code was compiled for another GPU",
        CudaResult.UnsupportedPtxVersion => "; NVRTC is newer than the driver: update the driver or use an older NVRTC",
        CudaResult.StubLibrary => "; this is the toolkit's stub library, which only serves linking: name the driver's own",
        CudaResult.SystemDriverMismatch => "; the library and the kernel module are of different driver versions: a restart usually helps",
        CudaResult.CompatNotSupportedOnDevice => "; this forward-compatibility library does not serve this GPU",
        _ => string.Empty,
    };
}
