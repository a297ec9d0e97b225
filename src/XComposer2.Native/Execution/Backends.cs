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
    /// <exception cref="EngineException">The device is not there, or an option is out of range.</exception>
    public static ChosenDevice Create(DeviceOptions options, DType? storedType)
    {
        EngineException.ThrowUnless(options.Threads is null or (>= 1 and <= MaximumThreads), "threads", $"1 to {MaximumThreads}", options.Threads);
        EngineException.ThrowUnless(options.Storage is null || options.Storage.Value.IsFloat(), "storage", "BF16, F16 or F32", options.Storage);
        switch (options.Kind)
        {
            case DeviceKind.Cpu:
                return new ChosenDevice(new CpuBackend(options.Threads), null);
            case DeviceKind.Cuda:
                try
                {
                    return new ChosenDevice(CreateCuda(options, storedType), null);
                }
                catch (CudaUnavailableException missing)
                {
                    throw new EngineException($"device cuda: {missing.Message}", missing);
                }

            case DeviceKind.Auto:
                try
                {
                    return new ChosenDevice(CreateCuda(options, storedType), null);
                }
                catch (CudaUnavailableException missing)
                {
                    return new ChosenDevice(new CpuBackend(options.Threads), $"no GPU is used: {missing.Message}");
                }

            default:
                throw new EngineException($"device: expected one of {string.Join(", ", Enum.GetNames<DeviceKind>())}, found {options.Kind}");
        }
    }

    private static CudaBackend CreateCuda(DeviceOptions options, DType? storedType) => new(new CudaBackendOptions
    {
        // Of F32 weights, F16 keeps three bits more than BF16; no published value is near the end of its range, and one beyond it is refused.
        Storage = options.Storage ?? (storedType is DType.BF16 or null ? DType.BF16 : DType.F16),
        Cache = new CubinCacheOptions { ShippedFolders = CubinCacheOptions.BesideProgram },
    });
}
