using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.KernelBench;

/// <summary>How the L2 cache is brought into its state.</summary>
/// <param name="State">Which.</param>
/// <param name="FlushBytes">What is read or written for it.</param>
/// <param name="SpacerSteps">Products that keep a device busy meanwhile where nothing is read or written.</param>
internal readonly record struct L2Plan(L2State State, long FlushBytes, int SpacerSteps)
{
    private const long LeastBytes = 256L << 20;

    private const int CacheSizes = 4;

    /// <summary>For figures: several times what the cache holds, because it does not always drop the oldest.</summary>
    public static L2Plan Full(L2State state, long cacheBytes) => new(state, Math.Max(LeastBytes, CacheSizes * cacheBytes), SpacerSteps: 1 << 9);

    /// <summary>For a look at whether all runs.</summary>
    public static L2Plan Quick(L2State state) => new(state, FlushBytes: 1L << 18, SpacerSteps: 1);

    /// <summary>A type that tensor cores of the device multiply.</summary>
    public static KernelStorage SpacerStorage(DeviceShape device) => device.Capability.Number >= 80 ? KernelStorage.BF16 : KernelStorage.F16;

    /// <summary>What is read or written, and the results of whichever kernel does it.</summary>
    public long TotalBytes(DeviceShape device)
    {
        ReadStream reader = new();
        MmaRate spacer = new(SpacerStorage(device));
        LaunchGeometry spacing = spacer.Geometry(device.Multiprocessors);
        long readerBytes = reader.SumBytes(reader.Geometry(device.Multiprocessors, device.ThreadsPerMultiprocessor));
        return FlushBytes + Math.Max(readerBytes, (long)spacing.Grid.X * spacing.Block.X * sizeof(float));
    }
}
