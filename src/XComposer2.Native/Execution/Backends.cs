using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>Chooses the device.</summary>
internal static class Backends
{
    private const int MaximumThreads = 1024;

    /// <param name="options">What is wanted.</param>
    /// <param name="storedType">Type of the checkpoint's weights; null where it does not say.</param>
    /// <param name="reporter">Told what a GPU does while it gets ready; null for no one.</param>
    /// <param name="notice">Told what is worth knowing and stops nothing; null for no one.</param>
    /// <exception cref="EngineException">The device is not there, or an option is out of range.</exception>
    public static ChosenDevice Create(DeviceOptions options, DType? storedType, LoadReporter? reporter = null, Action<string>? notice = null)
    {
        EngineException.ThrowUnless(options.Threads is null or (>= 1 and <= MaximumThreads), "threads", $"1 to {MaximumThreads}", options.Threads);
        EngineException.ThrowUnless(options.Storage is null || options.Storage.Value.IsFloat(), "storage", "BF16, F16 or F32", options.Storage);
        switch (options.Kind)
        {
            case DeviceKind.Cpu:
                return new ChosenDevice(Processor(options), null);
            case DeviceKind.Cuda:
            case DeviceKind.Auto:
                try
                {
                    return new ChosenDevice(CreateCuda(options, storedType, reporter, notice), null);
                }
                catch (Exception failure) when (DeviceFailure.Describe(failure) is { } why)
                {
                    return options.Kind == DeviceKind.Auto ? new ChosenDevice(Processor(options), PassedOver(why), DeviceFailure.IsOfPresentDevice(failure)) : throw Refused(why, failure);
                }

            default:
                throw new EngineException($"device: expected one of {string.Join(", ", Enum.GetNames<DeviceKind>())}, found {options.Kind}");
        }
    }

    /// <summary>What a user who left the choice reads of a GPU that was not taken.</summary>
    public static string PassedOver(string why) => $"no GPU is used: {why}";

    /// <summary>What a user who asked for a GPU reads.</summary>
    public static EngineException Refused(string why, Exception failure) => new($"device cuda: {why}", failure);

    /// <summary>In which type a GPU that has both keeps weights.</summary>
    /// <remarks>Of F32 weights, F16 keeps three bits more than BF16; no published value is near the end of its range, and one beyond it is refused.</remarks>
    public static DType PreferredStorage(DType? storedType) => storedType is DType.BF16 or null ? DType.BF16 : DType.F16;

    private static CpuBackend Processor(DeviceOptions options) => new(
        options.Threads, options.Cache ?? CacheFormat.F32, roundsActivations: options.Activations == ActivationPrecision.Int8);

    private static CudaBackend CreateCuda(DeviceOptions options, DType? storedType, LoadReporter? reporter, Action<string>? notice)
    {
        try
        {
            return OpenCuda(options, storedType, reporter, notice);
        }
        catch (NotSupportedException refused)
        {
            throw new EngineException(
                options.Cache is null ? refused.Message : $"{refused.Message}; the processor has {CacheFormat.F32}, {CacheFormat.BF16}, {CacheFormat.F16} and {CacheFormat.Int8}", refused);
        }
    }

    private static CudaBackend OpenCuda(DeviceOptions options, DType? storedType, LoadReporter? reporter, Action<string>? notice) => new(new CudaBackendOptions
    {
        Storage = options.Storage,
        KeyValueCache = options.Cache,
        HasHalfSums = options.HalfSums,
        PreferredStorage = PreferredStorage(storedType),
        EmbeddingsOnHost = options.Embeddings == EmbeddingPlace.Host,
        Cache = new CubinCacheOptions { ShippedFolders = options.KernelFolder is { } folder ? [CubinFolders.Within(folder)] : null, Notice = notice },
        CompileProgress = reporter,
        UploadProgress = reporter,
    });
}

/// <summary>A device to run on.</summary>
/// <param name="Backend">The device; the receiver's to dispose.</param>
/// <param name="Note">Why a faster kind was not taken, in a sentence; null where none was passed over.</param>
/// <param name="IsFailure">The note is about a device that seems to be there.</param>
internal readonly record struct ChosenDevice(IBackend Backend, string? Note, bool IsFailure = false);

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
