using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>What of a device decides which kernel runs, and its grid. Facts alone, so that choices need no device.</summary>
/// <param name="Capability">The generation.</param>
/// <param name="Multiprocessors">How many.</param>
/// <param name="ThreadsPerMultiprocessor">The most that one holds.</param>
/// <param name="SharedBytesPerMultiprocessor">Shared memory of one.</param>
public readonly record struct DeviceFacts(ComputeCapability Capability, int Multiprocessors, int ThreadsPerMultiprocessor, long SharedBytesPerMultiprocessor)
{
    private const long KibiBytes = 1024;

    /// <summary>A card of a generation, by the generation's limits.</summary>
    public DeviceFacts(ComputeCapability capability, int multiprocessors)
        : this(capability, multiprocessors, ThreadsOf(capability), SharedBytesOf(capability))
    {
    }

    public static DeviceFacts Of(CudaDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new DeviceFacts(device.Capability, device.MultiprocessorCount, device.MaxThreadsPerMultiprocessor, device.SharedBytesPerMultiprocessor);
    }

    private static int ThreadsOf(ComputeCapability capability) => capability switch
    {
        { Major: 7 } => 1024,
        { Major: 8, Minor: > 0 } or { Major: >= 12 } => 1536,
        _ => 2048,
    };

    private static long SharedBytesOf(ComputeCapability capability) => capability switch
    {
        { Major: 7 } => 64 * KibiBytes,
        { Major: 8, Minor: 0 } => 164 * KibiBytes,
        { Major: 8 } or { Major: >= 12 } => 100 * KibiBytes,
        _ => 228 * KibiBytes,
    };
}

/// <summary>How a launch fills a device, by what its definition declares. Registers are the compiler's: a definition whose registers allow fewer blocks than this
/// states its own limit (<see cref="KernelDefinition.BlocksPerMultiprocessor"/>).</summary>
/// <param name="Blocks">Of the grid.</param>
/// <param name="Waves">Rounds in which each multiprocessor gets one block: blocks that share one share its arithmetic too.</param>
/// <param name="BlocksPerMultiprocessor">Blocks that one holds at a time.</param>
public readonly record struct LaunchFill(long Blocks, long Waves, int BlocksPerMultiprocessor)
{
    // The driver's own part of each block's shared memory, from 8.0 on.
    private const int ReservedBytes = 1024;

    public static LaunchFill Of(KernelDefinition definition, in LaunchGeometry geometry, DeviceFacts device)
    {
        ArgumentNullException.ThrowIfNull(definition);
        long blocks = (long)geometry.Grid.X * geometry.Grid.Y * geometry.Grid.Z;
        long byThreads = device.ThreadsPerMultiprocessor / definition.BlockThreads;
        int reserved = device.Capability.Major >= 8 ? ReservedBytes : 0;
        long byShared = definition.DynamicSharedBytes == 0 ? byThreads : device.SharedBytesPerMultiprocessor / (definition.DynamicSharedBytes + reserved);
        long resident = Math.Min(byThreads, byShared);
        if (definition.BlocksPerMultiprocessor(device.Capability) is { } declared)
            resident = Math.Min(resident, declared);
        return new LaunchFill(blocks, (blocks + device.Multiprocessors - 1) / device.Multiprocessors, (int)resident);
    }
}
