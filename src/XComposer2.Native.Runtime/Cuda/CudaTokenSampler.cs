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
    private readonly CudaDeviceState device;
    private readonly SampleToken twin;
    private readonly CudaKernel kernel;
    private readonly DeviceMemory memory;
    private readonly PinnedMemory told;
    private readonly CudaEvent[] chosen = new CudaEvent[ITokenSampler.MaximumPending];
    private readonly (int Rows, uint[] Steps)[] pending;
    private readonly ulong[] steps;
    private readonly TokenChoice[] taken;
    private readonly long seenOffsetBytes;
    private readonly long idOffsetBytes;
    private long choices;
    private long takes;

    public CudaTokenSampler(CudaDeviceState device, int vocabularySize, int slots)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slots);
        this.device = device;
        Slots = slots;
        twin = new SampleToken(vocabularySize);
        kernel = device.Kernels.Get(twin);
        seenOffsetBytes = MemoryPlanner.Align((long)slots * Unsafe.SizeOf<SamplingState>());
        idOffsetBytes = MemoryPlanner.Align(seenOffsetBytes + (slots * twin.SeenBytes));
        memory = DeviceMemory.Allocate(device.Context, idOffsetBytes + ((long)slots * sizeof(int)));
        told = PinnedMemory.Allocate(device.Context, (long)ITokenSampler.MaximumPending * slots * Unsafe.SizeOf<SampledToken>());
        told.Span.AsSpan<SampledToken>().Fill(SampledToken.None);
        pending = new (int, uint[])[ITokenSampler.MaximumPending];
        for (int place = 0; place < pending.Length; place++)
        {
            pending[place] = (0, new uint[slots]);
            chosen[place] = CudaEvent.Create(device.Context);
        }

        steps = new ulong[slots];
        taken = new TokenChoice[slots];
        device.Stream.Fill(memory.Span, 0);
    }

    public int Slots { get; }

    /// <summary>Where the id that was chosen last in a slot will be, for what is queued after the choice; 0 where the logits were no numbers.</summary>
    public DeviceSpan LatestOf(int slot) => memory.Span.Slice(idOffsetBytes + ((long)slot * sizeof(int)), sizeof(int));

    public void Begin(int slot, in SamplingRequest request)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)Slots, nameof(slot));
        request.Require(twin.VocabularySize);
        if (request.LogProbs || request.TopLogProbs > 0)
            throw new NotSupportedException("log-probabilities are not computed on a GPU yet");
        SamplingParameters parameters = request.Parameters;
        SamplingState state = new(
            request.Seed, (ulong)request.Step, parameters.Temperature, parameters.TopP, parameters.RepetitionPenalty, (uint)parameters.TopK, parameters.Greedy ? 1u : 0u);
        device.Stream.CopyToDevice<SamplingState>(memory.Span.Slice((long)slot * Unsafe.SizeOf<SamplingState>(), Unsafe.SizeOf<SamplingState>()), [state]);
        DeviceSpan seen = memory.Span.Slice(seenOffsetBytes + (slot * twin.SeenBytes), twin.SeenBytes);
        device.Stream.Fill(seen, 0);
        if (!request.SeenIds.IsEmpty)
        {
            var bits = new uint[twin.SeenBytes / sizeof(uint)];
            foreach (int id in request.SeenIds.Span)
                bits[id / 32] |= 1u << (id % 32);
            device.Stream.CopyToDevice<uint>(seen, bits);
        }

        steps[slot] = (ulong)request.Step;
    }

    public void Choose(IBoundGraph graph, Tensor logits, ReadOnlySpan<SampleRow> rows)
    {
        if (graph is not CudaBoundGraph bound)
            throw new ArgumentException("the graph is of another backend", nameof(graph));
        if (choices - takes == ITokenSampler.MaximumPending)
            throw new InvalidOperationException($"{ITokenSampler.MaximumPending} choices are not taken yet");
        int place = (int)(choices % ITokenSampler.MaximumPending);
        uint[] expected = pending[place].Steps;
        DevicePointer start = memory.Span.Pointer, slots = told.DeviceSpan.Pointer + (place * (long)Slots * Unsafe.SizeOf<SampledToken>());
        for (int index = 0; index < rows.Length; index++)
        {
            (int row, int slot) = rows[index];
            var arguments = new SampleTokenArguments(
                bound.AddressOf(logits) + ((long)row * twin.VocabularySize * sizeof(float)),
                start + ((long)slot * Unsafe.SizeOf<SamplingState>()),
                start + seenOffsetBytes + (slot * twin.SeenBytes),
                start + idOffsetBytes + ((long)slot * sizeof(int)),
                slots + ((long)index * Unsafe.SizeOf<SampledToken>()),
                SlotCount: 1);
            kernel.Launch(device.Stream, twin.Geometry(rows: 1), arguments);
            expected[index] = (uint)steps[slot]++;
        }

        pending[place] = (rows.Length, expected);
        device.Stream.Record(chosen[place]);
        choices++;
    }

    public ReadOnlySpan<TokenChoice> Take()
    {
        if (takes == choices)
            throw new InvalidOperationException("nothing was chosen");
        int place = (int)(takes % ITokenSampler.MaximumPending);
        chosen[place].Synchronize();
        (int rows, uint[] expected) = pending[place];
        Span<SampledToken> tokens = told.Span.AsSpan<SampledToken>().Slice(place * Slots, rows);
        for (int index = 0; index < rows; index++)
        {
            if (tokens[index].Step != expected[index])
                throw new InvalidOperationException($"the device told step {tokens[index].Step} where step {expected[index]} was waited for");
            string? failure = tokens[index].Failure;
            taken[index] = new TokenChoice(failure is null ? tokens[index].Id : 0, failure, 0, default);
        }

        takes++;
        return taken.AsSpan(0, rows);
    }

    public void Dispose()
    {
        WaitForChoices();
        foreach (CudaEvent mark in chosen)
            mark.Dispose();
        memory.Dispose();
        told.Dispose();
    }

    // A choice that no one will take still writes to the host.
    private void WaitForChoices()
    {
        try
        {
            if (takes < choices)
                chosen[(choices - 1) % ITokenSampler.MaximumPending].Synchronize();
        }
        catch (CudaException)
        {
            // The context is lost, and nothing runs in it any more; whoever waits for a result is told.
        }
    }
}
