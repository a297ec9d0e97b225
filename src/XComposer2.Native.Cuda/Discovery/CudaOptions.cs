namespace XComposer2.Native.Cuda;

/// <summary>Which libraries and which GPU.</summary>
public sealed record CudaOptions
{
    /// <summary>Path or loader name of the driver library; null for <c>XC2_CUDA_DRIVER</c> or what the system has.</summary>
    public string? DriverLibrary { get; init; }

    /// <summary>Path or loader name of NVRTC; null for <c>XC2_NVRTC</c> or what is found.</summary>
    public string? CompilerLibrary { get; init; }

    /// <summary>Of the GPU, among those that the driver shows.</summary>
    public int Ordinal { get; init; }
}
