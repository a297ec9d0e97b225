using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>
/// Samples on the device: logits never leave it, and one word comes back for each token. A choice is queued behind the run that it is of; the host
/// waits for its mark, not for what was queued after it.
/// </summary>
internal sealed class CudaTokenSampler : ITokenSampler
{
    private const int Slots = 2;

    private readonly CudaDeviceState device;
    private readonly SampleToken twin;
    private readonly CudaKernel kernel;
    private readonly DeviceMemory memory;
    private readonly PinnedMemory slots;
    private readonly CudaEvent[] chosen = new CudaEvent[Slots];
    private readonly long seenOffsetBytes;
    private readonly long idOffsetBytes;
    private long choices;
    private long taken;

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
        slots = PinnedMemory.Allocate(device.Context, Slots * Unsafe.SizeOf<SampledToken>());
        slots.Span.AsSpan<SampledToken>().Fill(SampledToken.None);
        for (int slot = 0; slot < Slots; slot++)
            chosen[slot] = CudaEvent.Create(device.Context);
        device.Stream.Fill(memory.Span, 0);
        SamplingState state = new(
            seed, 0, parameters.Temperature, parameters.TopP, parameters.RepetitionPenalty, (uint)parameters.TopK, parameters.Greedy ? 1u : 0u);
        device.Stream.CopyToDevice<SamplingState>(memory.Span.Slice(0, Unsafe.SizeOf<SamplingState>()), [state]);
    }

    /// <summary>Where the id that was chosen last will be, for what is queued after the choice; 0 where the logits were no numbers.</summary>
    public DeviceSpan Latest => memory.Span.Slice(idOffsetBytes, sizeof(int));

    public void Choose(IBoundGraph graph, Tensor logits, int row)
    {
        if (graph is not CudaBoundGraph bound)
            throw new ArgumentException("the graph is of another backend", nameof(graph));
        if (choices - taken == Slots)
            throw new InvalidOperationException($"{Slots} choices are not taken yet");
        DevicePointer start = memory.Span.Pointer;
        var arguments = new SampleTokenArguments(
            bound.AddressOf(logits) + ((long)row * twin.VocabularySize * sizeof(float)),
            start,
            start + seenOffsetBytes,
            start + idOffsetBytes,
            slots.DeviceSpan.Pointer,
            Slots);
        kernel.Launch(device.Stream, twin.Geometry(rows: 1), arguments);
        device.Stream.Record(chosen[choices % Slots]);
        choices++;
    }

    public int Take()
    {
        if (taken == choices)
            throw new InvalidOperationException("nothing was chosen");
        int slot = (int)(taken % Slots);
        chosen[slot].Synchronize();
        SampledToken token = slots.Span.AsSpan<SampledToken>()[slot];
        if (token.Step != (uint)taken)
            throw new InvalidOperationException($"the device told step {token.Step} where step {taken} was waited for");
        taken++;
        return token.Failure is { } failure ? throw new InvalidOperationException(failure) : token.Id;
    }

    public void Dispose()
    {
        WaitForChoices();
        foreach (CudaEvent mark in chosen)
            mark.Dispose();
        memory.Dispose();
        slots.Dispose();
    }

    // A choice that no one will take still writes its slot.
    private void WaitForChoices()
    {
        try
        {
            if (taken < choices)
                chosen[(choices - 1) % Slots].Synchronize();
        }
        catch (CudaException)
        {
            // The context is lost, and nothing runs in it any more; whoever waits for a result is told.
        }
    }
}
