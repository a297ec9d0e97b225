using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>
/// Samples on the device, all rows of a step in one launch: logits never leave it, and one word comes back for each token. A choice is queued behind the run
/// that it is of; the host waits for its mark, not for what was queued after it. Only where an answer is constrained, a choice is queued after the tokens
/// before it are known: what is allowed depends on them. The run that it is of computes meanwhile.
/// </summary>
internal sealed class CudaTokenSampler : ITokenSampler
{
    private readonly CudaDeviceState device;
    private readonly SamplerMemory memory;
    private readonly SampleToken sampling;
    private readonly TokenLogProbs logProbs;
    private readonly RankTokens ranking;
    private readonly CudaKernel sampleToken;
    private readonly CudaKernel tokenLogProbs;
    private readonly CudaKernel rankTokens;
    private readonly Wanted[] wantedOf;
    private readonly PendingChoice[] pending = new PendingChoice[ITokenSampler.MaximumPending];
    private readonly TokenChoice[] taken;
    private readonly TokenLogProb[] takenLikely;
    private readonly ITokenConstraint?[] constraintOf;
    private long choices;
    private long heard;
    private long takes;

    public CudaTokenSampler(CudaDeviceState device, int vocabularySize, int slots)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slots);
        this.device = device;
        Slots = slots;
        sampling = new SampleToken(vocabularySize);
        logProbs = new TokenLogProbs(vocabularySize);
        // Also the one that may never run: a request that wants log-probabilities must not wait for a compiler.
        ranking = new RankTokens(vocabularySize);
        device.Kernels.Prepare([sampling, logProbs, ranking], device.CompileProgress);
        sampleToken = device.Kernels.Get(sampling);
        tokenLogProbs = device.Kernels.Get(logProbs);
        rankTokens = device.Kernels.Get(ranking);
        wantedOf = new Wanted[slots];
        constraintOf = new ITokenConstraint?[slots];
        int most = Math.Min(slots, SampleToken.MaxRows);
        taken = new TokenChoice[most];
        takenLikely = new TokenLogProb[most * TokenLogProbs.MaxLikely];
        memory = new SamplerMemory(device, slots, sampling);
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
        SamplingParameters parameters = request.Parameters;
        bool adjusts = !request.Biases.IsEmpty || request.FrequencyPenalty != 0 || request.PresencePenalty != 0;
        memory.Begin(
            slot,
            new SamplingState(
                request.Seed, (ulong)request.Step, parameters.Temperature, parameters.TopP, parameters.RepetitionPenalty, (uint)parameters.TopK, parameters.Greedy ? 1u : 0u,
                request.FrequencyPenalty, request.PresencePenalty, adjusts ? 1u : 0u, request.Constraint is null ? 0u : 1u),
            request.SeenIds.Span,
            request.Biases.Span);
        wantedOf[slot] = new Wanted(request.LogProbs, request.TopLogProbs);
        constraintOf[slot] = request.Constraint;
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
        Constrain(choice, rows);
        if (!rows.IsEmpty)
        {
            LaunchSampling(values.Pointer, rows, place);
            LaunchLogProbs(values.Pointer, rows, place);
            LaunchRanking(values.Pointer, rows, place);
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
        HearThrough(takes + 1);
        for (int index = 0; index < choice.RowCount; index++)
        {
            SampledToken token = TokenOf(place, index);
            string? failure = choice.Failures[index] ?? token.Failure;
            taken[index] = failure is not null ? new TokenChoice(0, failure, 0, default)
                : choice.Rankings[index] is { } wanted ? Ranked(place, index, wanted)
                : Told(place, index, token.Id, choice.Wanted[index]);
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

    // What each constrained answer allows, on its way to the device.
    private void Constrain(PendingChoice choice, ReadOnlySpan<SampleRow> rows)
    {
        for (int index = 0; index < rows.Length; index++)
        {
            choice.Failures[index] = null;
            choice.Rankings[index] = rows[index].Ranking;
            choice.Constraints[index] = rows[index].Ranking is null ? constraintOf[rows[index].Slot] : null;
            if (choice.Constraints[index] is not { } constraint)
                continue;
            HearThrough(choices);
            try
            {
                memory.Allow(rows[index].Slot, constraint.Allowed);
            }
            catch (InvalidOperationException error)
            {
                choice.Failures[index] = error.Message;
            }
        }
    }

    // Waits for the choices before this one, and tells the constraints of their answers what was chosen.
    private void HearThrough(long count)
    {
        for (; heard < count; heard++)
        {
            int place = (int)(heard % pending.Length);
            PendingChoice choice = pending[place];
            choice.Mark.Synchronize();
            for (int index = 0; index < choice.RowCount; index++)
            {
                SampledToken token = TokenOf(place, index);
                if (token.Ticket != (uint)heard)
                    throw new InvalidOperationException($"the device told choice {token.Ticket} where choice {heard} was waited for");
                if (choice.Constraints[index] is not { } constraint || choice.Failures[index] is not null || token.Failure is not null)
                    continue;
                try
                {
                    constraint.Accept(token.Id);
                }
                catch (InvalidOperationException error)
                {
                    choice.Failures[index] = error.Message;
                }
            }
        }
    }

    // Sampled rows and ranked ones are counted apart: each kernel's results lie together.
    private SampledToken TokenOf(int place, int index)
    {
        PendingChoice choice = pending[place];
        return (choice.Rankings[index] is null ? memory.Tokens(place) : memory.Ranked(place))[choice.Places[index]];
    }

    private void LaunchSampling(DevicePointer values, ReadOnlySpan<SampleRow> rows, int place)
    {
        SampleTokenArguments arguments = new()
        {
            Logits = values, States = memory.States, Seen = memory.Seen, Allowed = memory.Allowed, Adjustments = memory.Adjustments, Ids = memory.IdOf(0).Pointer,
            Keys = memory.Keys, Maxima = memory.Maxima, Arrivals = memory.Arrivals, Tokens = memory.TokensAddress(place), Ticket = (uint)choices,
        };
        int count = 0;
        for (int index = 0; index < rows.Length; index++)
        {
            if (rows[index].Ranking is not null)
                continue;
            arguments.Rows[count] = new SampledRow(rows[index].Row, rows[index].Slot);
            pending[place].Wanted[index] = wantedOf[rows[index].Slot];
            pending[place].Places[index] = count++;
        }

        if (count > 0)
            sampleToken.Launch(device.Stream, sampling.Geometry(count), arguments);
    }

    private void LaunchLogProbs(DevicePointer values, ReadOnlySpan<SampleRow> rows, int place)
    {
        TokenLogProbsArguments arguments = new()
        {
            Logits = values, Ids = memory.IdOf(0).Pointer, Maxima = memory.Maxima, Parts = memory.Parts, Arrivals = memory.Arrivals,
            Results = memory.LogProbsAddress(place), Likely = memory.LikelyAddress(place),
        };
        int count = 0;
        for (int index = 0; index < rows.Length; index++)
            if (rows[index].Ranking is null && wantedOf[rows[index].Slot] is { Any: true } wanted)
                arguments.Rows[count++] = new LogProbRow(rows[index].Row, rows[index].Slot, index, wanted.Top);
        if (count > 0)
            tokenLogProbs.Launch(device.Stream, logProbs.Geometry(count), arguments);
    }

    private void LaunchRanking(DevicePointer values, ReadOnlySpan<SampleRow> rows, int place)
    {
        RankTokensArguments arguments = new()
        {
            Logits = values, Seen = memory.Seen, Maxima = memory.Maxima, Parts = memory.Parts, Arrivals = memory.Arrivals, Tokens = memory.RankedAddress(place),
            Counts = memory.CountsAddress(place), Listed = memory.ListedAddress(place), Ticket = (uint)choices,
        };
        int count = 0;
        for (int index = 0; index < rows.Length; index++)
        {
            if (rows[index].Ranking is not { } wanted)
                continue;
            wanted.Require(ranking.VocabularySize);
            float penalty = wanted.Seen.Count == 0 ? 1 : wanted.Penalty;
            if (penalty != 1)
                memory.See(rows[index].Slot, wanted.Seen);
            arguments.Rows[count] = new RankRow(rows[index].Row, rows[index].Slot, wanted.Count, penalty);
            pending[place].Places[index] = count++;
        }

        if (count > 0)
            rankTokens.Launch(device.Stream, ranking.Geometry(count), arguments);
    }

    private TokenChoice Ranked(int place, int index, TokenRanking wanted)
    {
        Span<LikelyToken> listed = memory.Listed(place, pending[place].Places[index]);
        var tokens = new List<TokenLogProb>(listed.Length);
        foreach (LikelyToken token in listed)
            tokens.Add(new TokenLogProb(token.Id, token.LogProb));
        TokenLogProb[] first = wanted.First(tokens);
        return new TokenChoice(first[0].Id, null, first[0].LogProb, first);
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
            (int row, int slot, _) = rows[index];
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

        /// <summary>Of each row, likewise.</summary>
        public ITokenConstraint?[] Constraints { get; } = new ITokenConstraint?[mostRows];

        /// <summary>Of the constraints, in words.</summary>
        public string?[] Failures { get; } = new string?[mostRows];

        /// <summary>Of each row; null where a token is chosen.</summary>
        public TokenRanking?[] Rankings { get; } = new TokenRanking?[mostRows];

        /// <summary>Of each row, among the results of the kernel that it goes to.</summary>
        public int[] Places { get; } = new int[mostRows];

        public int RowCount { get; set; }
    }
}
