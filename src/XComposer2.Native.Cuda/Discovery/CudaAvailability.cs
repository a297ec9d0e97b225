namespace XComposer2.Native.Cuda;

/// <summary>Whether a GPU can be used here, and if not, why. Asking never throws.</summary>
public sealed record CudaAvailability
{
    private CudaAvailability()
    {
    }

    /// <summary>The GPU asked for; null where it cannot be used.</summary>
    public CudaDevice? Device { get; private init; }

    /// <summary>Null where the GPU can be used.</summary>
    public CudaUnavailableReason? Reason { get; private init; }

    /// <summary>A sentence for the user: the GPU, or what is missing and what to do about it.</summary>
    public required string Message { get; init; }

    /// <summary>Loads the driver and looks at the GPU. Makes no context, which costs time and memory.</summary>
    public static CudaAvailability Probe(CudaOptions? options = null)
    {
        try
        {
            CudaDevice device = Find(options ?? new CudaOptions());
            return new CudaAvailability { Device = device, Message = $"device {device.Ordinal}, {device}, driver for CUDA {device.Driver.Version}" };
        }
        catch (CudaUnavailableException missing)
        {
            return new CudaAvailability { Reason = missing.Reason, Message = missing.Message };
        }
        catch (CudaException failure)
        {
            return new CudaAvailability { Reason = CudaUnavailableReason.InitializationFailed, Message = failure.Message };
        }
    }

    /// <summary>As <see cref="Probe"/>, and opens the GPU's context where it can.</summary>
    /// <param name="options">Which libraries and GPU.</param>
    /// <param name="context">For the caller to dispose; null where the answer has a reason.</param>
    public static CudaAvailability TryOpen(CudaOptions? options, out CudaContext? context)
    {
        context = null;
        CudaAvailability found = Probe(options);
        if (found.Device is null) return found;
        try
        {
            context = CudaContext.Open(found.Device);
            return found;
        }
        catch (CudaUnavailableException missing)
        {
            return new CudaAvailability { Reason = missing.Reason, Message = missing.Message };
        }
    }

    private static CudaDevice Find(CudaOptions options) => CudaDriver.Load(options.DriverLibrary).GetDevice(options.Ordinal);
}

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

/// <summary>CUDA, or its compiler, cannot be used here. The message says what was looked for, where, and what to do about it.</summary>
public sealed class CudaUnavailableException : Exception
{
    public CudaUnavailableException(CudaUnavailableReason reason, string message, Exception? inner = null)
        : base(message, inner) => Reason = reason;

    public CudaUnavailableReason Reason { get; }
}
