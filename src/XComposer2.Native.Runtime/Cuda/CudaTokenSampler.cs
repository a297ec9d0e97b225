using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>
/// Samples on the device, all rows of a step in one launch: logits never leave it, and one word comes back for each token. A choice is queued behind the run
/// that it is of; the host waits for its mark, not for what was queued after it.
/// </summary>
internal sealed class CudaTokenSampler : ITokenSampler
{
    private readonly CudaDeviceState device;
    private readonly SamplerMemory memory;
    private readonly SampleToken sampling;
    private readonly TokenLogProbs logProbs;
    private readonly CudaKernel sampleToken;
    private readonly CudaKernel tokenLogProbs;
    private readonly Wanted[] wantedOf;
    private readonly PendingChoice[] pending = new PendingChoice[ITokenSampler.MaximumPending];
    private readonly TokenChoice[] taken;
    private readonly TokenLogProb[] takenLikely;
    private long choices;
    private long takes;

    public CudaTokenSampler(CudaDeviceState device, int vocabularySize, int slots)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slots);
        this.device = device;
        Slots = slots;
        sampling = new SampleToken(vocabularySize);
        logProbs = new TokenLogProbs(vocabularySize);
        // Also the one that may never run: a request that wants log-probabilities must not wait for a compiler.
        device.Kernels.Prepare([sampling, logProbs], device.CompileProgress);
        sampleToken = device.Kernels.Get(sampling);
        tokenLogProbs = device.Kernels.Get(logProbs);
        wantedOf = new Wanted[slots];
        int most = Math.Min(slots, SampleToken.MaxRows);
        taken = new TokenChoice[most];
        takenLikely = new TokenLogProb[most * TokenLogProbs.MaxLikely];
        memory = new SamplerMemory(device, slots, sampling.SeenBytes);
        for (int place = 0; place < pending.Length; place++)
            pending[place] = new PendingChoice(CudaEvent.Create(device.Context), most);
    }

    public int Slots { get; }

    /// <summary>Where the id that was chosen last in a slot will be, for what is queued after the choice; 0 where the logits were no numbers. Slots are neighbours.</summary>
    public DeviceSpan LatestOf(int slot)
    {
        RequireSlot(slot);
        return memory.IdOf(slot);
    }

    public void Begin(int slot, in SamplingRequest request)
    {
        RequireSlot(slot);
        request.Require(sampling.VocabularySize);
        if (request.AdjustsLogits)
            throw new ArgumentException("biases, penalties of occurrences and constraints are not supported on a GPU", nameof(request));
        SamplingParameters parameters = request.Parameters;
        memory.Begin(
            slot,
            new SamplingState(
                request.Seed, (ulong)request.Step, parameters.Temperature, parameters.TopP, parameters.RepetitionPenalty, (uint)parameters.TopK, parameters.Greedy ? 1u : 0u),
            request.SeenIds.Span);
        wantedOf[slot] = new Wanted(request.LogProbs, request.TopLogProbs);
    }

    public void Choose(IBoundGraph graph, Tensor logits, ReadOnlySpan<SampleRow> rows)
    {
        if (graph is not CudaBoundGraph bound)
            throw new ArgumentException("the graph is of another backend", nameof(graph));
        if (choices - takes == pending.Length)
            throw new InvalidOperationException($"{pending.Length} choices are not taken yet");
        DeviceSpan values = bound.SpanOf(logits);
        RequireRows(rows, values.LengthBytes / ((long)sampling.VocabularySize * sizeof(float)));
        int place = (int)(choices % pending.Length);
        PendingChoice choice = pending[place];
        choice.RowCount = rows.Length;
        if (!rows.IsEmpty)
        {
            LaunchSampling(values.Pointer, rows, place);
            LaunchLogProbs(values.Pointer, rows, place);
        }

        device.Stream.Record(choice.Mark);
        choices++;
    }

    public ReadOnlySpan<TokenChoice> Take()
    {
        if (takes == choices)
            throw new InvalidOperationException("nothing was chosen");
        int place = (int)(takes % pending.Length);
        PendingChoice choice = pending[place];
        choice.Mark.Synchronize();
        Span<SampledToken> tokens = memory.Tokens(place);
        for (int index = 0; index < choice.RowCount; index++)
        {
            SampledToken token = tokens[index];
            if (token.Ticket != (uint)takes)
                throw new InvalidOperationException($"the device told choice {token.Ticket} where choice {takes} was waited for");
            string? failure = token.Failure;
            taken[index] = failure is null ? Told(place, index, token.Id, choice.Wanted[index]) : new TokenChoice(0, failure, 0, default);
        }

        takes++;
        return taken.AsSpan(0, choice.RowCount);
    }

    public void Dispose()
    {
        WaitForChoices();
        foreach (PendingChoice choice in pending)
            choice.Mark.Dispose();
        memory.Dispose();
    }

    private void LaunchSampling(DevicePointer values, ReadOnlySpan<SampleRow> rows, int place)
    {
        SampleTokenArguments arguments = new()
        {
            Logits = values, States = memory.States, Seen = memory.Seen, Ids = memory.IdOf(0).Pointer, Tokens = memory.TokensAddress(place), Ticket = (uint)choices,
        };
        for (int index = 0; index < rows.Length; index++)
        {
            arguments.Rows[index] = new SampledRow(rows[index].Row, rows[index].Slot);
            pending[place].Wanted[index] = wantedOf[rows[index].Slot];
        }

        sampleToken.Launch(device.Stream, sampling.Geometry(rows.Length), arguments);
    }

    private void LaunchLogProbs(DevicePointer values, ReadOnlySpan<SampleRow> rows, int place)
    {
        TokenLogProbsArguments arguments = new()
        {
            Logits = values, Ids = memory.IdOf(0).Pointer, Results = memory.LogProbsAddress(place), Likely = memory.LikelyAddress(place),
        };
        int count = 0;
        for (int index = 0; index < rows.Length; index++)
            if (wantedOf[rows[index].Slot] is { Any: true } wanted)
                arguments.Rows[count++] = new LogProbRow(rows[index].Row, rows[index].Slot, index, wanted.Top);
        if (count > 0)
            tokenLogProbs.Launch(device.Stream, logProbs.Geometry(count), arguments);
    }

    private TokenChoice Told(int place, int index, int id, Wanted wanted)
    {
        if (!wanted.Any)
            return new TokenChoice(id, null, 0, default);
        LogProbResult result = memory.LogProbs(place)[index];
        Span<LikelyToken> likely = memory.Likely(place).Slice(index * TokenLogProbs.MaxLikely, result.Likely);
        int first = index * TokenLogProbs.MaxLikely;
        for (int rank = 0; rank < likely.Length; rank++)
            takenLikely[first + rank] = new TokenLogProb(likely[rank].Id, likely[rank].LogProb);
        return new TokenChoice(id, null, wanted.LogProb ? result.LogProb : 0, takenLikely.AsMemory(first, likely.Length));
    }

    private void RequireRows(ReadOnlySpan<SampleRow> rows, long most)
    {
        if (rows.Length > taken.Length)
            throw new ArgumentException($"expected at most {taken.Length} rows, found {rows.Length}", nameof(rows));
        for (int index = 0; index < rows.Length; index++)
        {
            (int row, int slot) = rows[index];
            RequireSlot(slot);
            if (row < 0 || row >= most)
                throw new ArgumentOutOfRangeException(nameof(rows), row, $"expected a row of the {most} that the last run has");
            for (int other = 0; other < index; other++)
                if (rows[other].Slot == slot)
                    throw new ArgumentException($"expected slots that differ, found slot {slot} in rows {rows[other].Row} and {row}", nameof(rows));
        }
    }

    private void RequireSlot(int slot) => ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)Slots, nameof(slot));

    // A choice that no one will take still writes to the host.
    private void WaitForChoices()
    {
        try
        {
            if (takes < choices)
                pending[(choices - 1) % pending.Length].Mark.Synchronize();
        }
        catch (CudaException)
        {
            // The context is lost, and nothing runs in it any more; whoever waits for a result is told.
        }
    }

    /// <summary>What a row's choice is told with.</summary>
    private readonly record struct Wanted(bool LogProb, int Top)
    {
        public bool Any => LogProb || Top > 0;
    }

    /// <summary>A choice that is not taken yet, in one of the places that take turns.</summary>
    private sealed class PendingChoice(CudaEvent mark, int mostRows)
    {
        public CudaEvent Mark => mark;

        /// <summary>Of each row, when it was chosen: the slot may have begun another answer since.</summary>
        public Wanted[] Wanted { get; } = new Wanted[mostRows];

        public int RowCount { get; set; }
    }
}

/// <summary>State of the answers on the device, and what their choices tell the host.</summary>
internal sealed class SamplerMemory : IDisposable
{
    private readonly CudaStream stream;
    private readonly DeviceMemory memory;
    private readonly PinnedMemory told;
    private readonly PinnedMemory staging;
    private readonly CudaEvent[] begun;
    private readonly int slots;
    private readonly long seenBytes;
    private readonly long seenOffsetBytes;
    private readonly long idOffsetBytes;
    private readonly long stagingBytes;

    public SamplerMemory(CudaDeviceState device, int slots, long seenBytes)
    {
        this.slots = slots;
        this.seenBytes = seenBytes;
        stream = device.Stream;
        seenOffsetBytes = MemoryPlanner.Align((long)slots * Unsafe.SizeOf<SamplingState>());
        idOffsetBytes = MemoryPlanner.Align(seenOffsetBytes + (slots * seenBytes));
        stagingBytes = MemoryPlanner.Align(Unsafe.SizeOf<SamplingState>() + seenBytes);
        memory = DeviceMemory.Allocate(device.Context, idOffsetBytes + ((long)slots * sizeof(int)));
        staging = PinnedMemory.Allocate(device.Context, slots * stagingBytes);
        told = PinnedMemory.Allocate(device.Context, ITokenSampler.MaximumPending * PlaceBytes);
        for (int place = 0; place < ITokenSampler.MaximumPending; place++)
            Tokens(place).Fill(SampledToken.None);
        begun = new CudaEvent[slots];
        for (int slot = 0; slot < slots; slot++)
            begun[slot] = CudaEvent.Create(device.Context);
        stream.Fill(memory.Span, 0);
    }

    /// <summary><see cref="SamplingState"/> [slots].</summary>
    public DevicePointer States => memory.Span.Pointer;

    /// <summary>Bits of the ids chosen so far, of each slot.</summary>
    public DevicePointer Seen => memory.Span.Pointer + seenOffsetBytes;

    private long LogProbsOffsetBytes => MemoryPlanner.Align((long)slots * Unsafe.SizeOf<SampledToken>());

    private long LikelyOffsetBytes => LogProbsOffsetBytes + MemoryPlanner.Align((long)slots * Unsafe.SizeOf<LogProbResult>());

    private long PlaceBytes => LikelyOffsetBytes + MemoryPlanner.Align((long)slots * TokenLogProbs.MaxLikely * Unsafe.SizeOf<LikelyToken>());

    /// <summary>The id that was chosen last in a slot.</summary>
    public DeviceSpan IdOf(int slot) => memory.Span.Slice(idOffsetBytes + ((long)slot * sizeof(int)), sizeof(int));

    public DevicePointer TokensAddress(int place) => told.DeviceSpan.Pointer + (place * PlaceBytes);

    public DevicePointer LogProbsAddress(int place) => TokensAddress(place) + LogProbsOffsetBytes;

    public DevicePointer LikelyAddress(int place) => TokensAddress(place) + LikelyOffsetBytes;

    public Span<SampledToken> Tokens(int place) => told.Span.Slice(place * PlaceBytes, (long)slots * Unsafe.SizeOf<SampledToken>()).AsSpan<SampledToken>();

    public Span<LogProbResult> LogProbs(int place) =>
        told.Span.Slice((place * PlaceBytes) + LogProbsOffsetBytes, (long)slots * Unsafe.SizeOf<LogProbResult>()).AsSpan<LogProbResult>();

    public Span<LikelyToken> Likely(int place) =>
        told.Span.Slice((place * PlaceBytes) + LikelyOffsetBytes, (long)slots * TokenLogProbs.MaxLikely * Unsafe.SizeOf<LikelyToken>()).AsSpan<LikelyToken>();

    /// <summary>Queues a slot's state at the beginning of an answer. Waits for nothing, unless the slot's last answer has not begun on the device yet.</summary>
    public void Begin(int slot, SamplingState state, ReadOnlySpan<int> seenIds)
    {
        long stateBytes = Unsafe.SizeOf<SamplingState>();
        PinnedSpan place = staging.Span.Slice(slot * stagingBytes, stagingBytes);
        begun[slot].Synchronize();
        PinnedSpan source = place.Slice(0, stateBytes);
        source.AsSpan<SamplingState>()[0] = state;
        stream.CopyToDevice(memory.Span.Slice(slot * stateBytes, stateBytes), source);
        DeviceSpan seen = memory.Span.Slice(seenOffsetBytes + (slot * seenBytes), seenBytes);
        if (seenIds.IsEmpty)
        {
            stream.Fill(seen, 0);
        }
        else
        {
            PinnedSpan bits = place.Slice(stateBytes, seenBytes);
            Span<uint> words = bits.AsSpan<uint>();
            words.Clear();
            foreach (int id in seenIds)
                words[id / 32] |= 1u << (id % 32);
            stream.CopyToDevice(seen, bits);
        }

        stream.Record(begun[slot]);
    }

    public void Dispose()
    {
        foreach (CudaEvent mark in begun)
            mark.Dispose();
        memory.Dispose();
        staging.Dispose();
        told.Dispose();
    }
}
