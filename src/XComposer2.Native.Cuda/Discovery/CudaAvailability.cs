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
