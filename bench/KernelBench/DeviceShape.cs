using XComposer2.Native.Cuda;

namespace XComposer2.Native.KernelBench;

/// <summary>What of a device decides tiles and grids.</summary>
/// <param name="Capability">Its generation.</param>
/// <param name="Multiprocessors">How many.</param>
/// <param name="ThreadsPerMultiprocessor">The most that one holds.</param>
public readonly record struct DeviceShape(ComputeCapability Capability, int Multiprocessors, int ThreadsPerMultiprocessor)
{
    public static DeviceShape Of(CudaDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new DeviceShape(device.Capability, device.MultiprocessorCount, device.MaxThreadsPerMultiprocessor);
    }
}
