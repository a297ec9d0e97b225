using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Samples on the device: logits never leave it, and one word comes back for each token.</summary>
internal sealed class CudaTokenSampler : ITokenSampler
{
    private readonly CudaDeviceState device;
    private readonly SampleToken twin;
    private readonly CudaKernel kernel;
    private readonly DeviceMemory memory;
    private readonly PinnedMemory slot;
    private readonly long seenOffsetBytes;
    private readonly long idOffsetBytes;

    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of its range.</exception>
    public CudaTokenSampler(CudaDeviceState device, SamplingParameters parameters, int vocabularySize, ulong seed)
    {
        TokenSampler.RequireInRange(parameters);
        this.device = device;
        twin = new SampleToken(vocabularySize);
        kernel = device.Kernels.Get(twin);
        seenOffsetBytes = MemoryPlanner.Align(Unsafe.SizeOf<SamplingState>());
        idOffsetBytes = MemoryPlanner.Align(seenOffsetBytes + twin.SeenBytes);
        memory = DeviceMemory.Allocate(device.Context, idOffsetBytes + sizeof(int));
        slot = PinnedMemory.Allocate(device.Context, Unsafe.SizeOf<SampledToken>());
        slot.Span.AsSpan<SampledToken>()[0] = SampledToken.None;
        device.Stream.Fill(memory.Span, 0);
        SamplingState state = new(
            seed, 0, parameters.Temperature, parameters.TopP, parameters.RepetitionPenalty, (uint)parameters.TopK, parameters.Greedy ? 1u : 0u);
        device.Stream.CopyToDevice<SamplingState>(memory.Span.Slice(0, Unsafe.SizeOf<SamplingState>()), [state]);
    }

    public int Sample(IBoundGraph graph, Tensor logits)
    {
        if (graph is not CudaBoundGraph bound)
            throw new ArgumentException("the graph is of another backend", nameof(graph));
        DevicePointer start = memory.Span.Pointer;
        var arguments = new SampleTokenArguments(bound.AddressOf(logits), start, start + seenOffsetBytes, start + idOffsetBytes, slot.DeviceSpan.Pointer, SlotCount: 1);
        kernel.Launch(device.Stream, twin.Geometry(rows: 1), arguments);
        device.Stream.Synchronize();
        SampledToken token = slot.Span.AsSpan<SampledToken>()[0];
        return token.Failure is { } failure ? throw new InvalidOperationException(failure) : token.Id;
    }

    public void Dispose()
    {
        memory.Dispose();
        slot.Dispose();
    }
}
