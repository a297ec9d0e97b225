namespace XComposer2.Native.Cuda;

/// <summary>Why CUDA, or its compiler, cannot be used here.</summary>
public enum CudaUnavailableReason
{
    /// <summary>No driver library; the message lists what was tried.</summary>
    DriverNotFound,

    /// <summary>The driver is for a CUDA before <see cref="CudaDriver.MinimumVersion"/>.</summary>
    DriverTooOld,

    /// <summary>A library loaded and lacks functions, so that it is something else.</summary>
    LibraryUnusable,

    /// <summary>The driver does not start.</summary>
    InitializationFailed,

    /// <summary>The driver starts and has no GPU to offer, or not the one asked for.</summary>
    NoDevice,

    /// <summary>The GPU is of a generation that no kernel here serves.</summary>
    DeviceTooOld,

    /// <summary>The GPU gives no context.</summary>
    ContextFailed,

    /// <summary>The GPU has less memory free than is wanted; the message has the numbers.</summary>
    NotEnoughMemory,

    /// <summary>No NVRTC library; the message lists what was tried.</summary>
    CompilerNotFound,

    /// <summary>NVRTC is older than <see cref="Nvrtc.MinimumVersion"/>, or does not know the GPU.</summary>
    CompilerTooOld,

    /// <summary>NVRTC makes code that the driver is too old to load.</summary>
    CompilerTooNew,
}
