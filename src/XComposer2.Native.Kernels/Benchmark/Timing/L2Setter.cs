using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Brings the L2 cache into a state before a launch, on the device alone: while that works, the host queues what is to be timed, so that
/// the device never waits for the host.</summary>
internal sealed class L2Setter : IDisposable
{
    private readonly CudaStream stream;
    private readonly KernelLoader kernels;
    private readonly DeviceFacts device;
    private readonly DeviceMemory memory;
    private readonly DeviceSpan flushed;
    private readonly DevicePointer results;
    private readonly Action set;

    public L2Setter(CudaContext context, CudaStream stream, KernelLoader kernels, DeviceFacts device, L2Plan plan)
    {
        this.stream = stream;
        this.kernels = kernels;
        this.device = device;
        memory = DeviceMemory.Allocate(context, plan.TotalBytes(device));
        flushed = memory.Span.Slice(0, plan.FlushBytes);
        results = memory.Span.Pointer + plan.FlushBytes;
        stream.Fill(memory.Span, 0);
        set = plan.State switch
        {
            L2State.Cold => Reading(),
            L2State.Written => () => stream.Fill(flushed, 0),
            _ => Multiplying((uint)plan.SpacerSteps),
        };
    }

    /// <summary>Queues it.</summary>
    public void Set() => set();

    public void Dispose() => memory.Dispose();

    private Action Reading()
    {
        ReadStream reader = new();
        CudaKernel kernel = kernels.Get(reader);
        LaunchGeometry geometry = reader.Geometry(device.Multiprocessors, device.ThreadsPerMultiprocessor);
        ReadStreamArguments arguments = new(flushed.Pointer, results, (ulong)(flushed.LengthBytes / ReadStream.ChunkBytes));
        return () => kernel.Launch(stream, geometry, arguments);
    }

    /// <summary>Takes time and touches next to no memory.</summary>
    private Action Multiplying(uint steps)
    {
        MmaRate spacer = new(L2Plan.SpacerStorage(device));
        CudaKernel kernel = kernels.Get(spacer);
        LaunchGeometry geometry = spacer.Geometry(device.Multiprocessors);
        MmaRateArguments arguments = new(flushed.Pointer, flushed.Pointer, results, steps);
        return () => kernel.Launch(stream, geometry, arguments);
    }
}

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
    public static DType SpacerStorage(DeviceFacts device) => device.Capability.Number >= 80 ? DType.BF16 : DType.F16;

    /// <summary>What is read or written, and the results of whichever kernel does it.</summary>
    public long TotalBytes(DeviceFacts device)
    {
        ReadStream reader = new();
        MmaRate spacer = new(SpacerStorage(device));
        LaunchGeometry spacing = spacer.Geometry(device.Multiprocessors);
        long readerBytes = reader.SumBytes(reader.Geometry(device.Multiprocessors, device.ThreadsPerMultiprocessor));
        return FlushBytes + Math.Max(readerBytes, (long)spacing.Grid.X * spacing.Block.X * sizeof(float));
    }
}

/// <summary>What the L2 cache holds when a launch that is timed begins.</summary>
public enum L2State : byte
{
    /// <summary>Other memory that was only read, as between the layers of a model: nothing helps and nothing is in the way.</summary>
    Cold,

    /// <summary>Other memory that was written: the launch also waits for that to go to memory. What most benchmarks do, so for comparison with them.</summary>
    Written,

    /// <summary>What the launch before left there.</summary>
    Warm,
}
