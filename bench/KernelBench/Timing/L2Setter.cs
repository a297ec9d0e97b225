using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.KernelBench;

/// <summary>Brings the L2 cache into a state before a launch, on the device alone: while that works, the host queues what is to be timed, so that
/// the device never waits for the host.</summary>
internal sealed class L2Setter : IDisposable
{
    private readonly CudaStream stream;
    private readonly KernelLoader kernels;
    private readonly DeviceShape device;
    private readonly DeviceMemory memory;
    private readonly DeviceSpan flushed;
    private readonly DevicePointer results;
    private readonly Action set;

    public L2Setter(CudaContext context, CudaStream stream, KernelLoader kernels, DeviceShape device, L2Plan plan)
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
