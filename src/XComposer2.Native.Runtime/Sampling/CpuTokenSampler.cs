using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Samples in host memory, at once.</summary>
internal sealed class CpuTokenSampler : ITokenSampler
{
    private readonly int vocabularySize;
    private readonly Answer?[] answers;
    private readonly Queue<TokenChoice[]> choices = new(ITokenSampler.MaximumPending);
    private SamplingScratch? scratch;
    private float[] asGiven = [];

    public CpuTokenSampler(int vocabularySize, int slots)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slots);
        this.vocabularySize = vocabularySize;
        answers = new Answer?[slots];
    }

    public int Slots => answers.Length;

    /// <summary>The id that was chosen last in a slot.</summary>
    public int LatestOf(int slot) => Of(slot).Latest;

    public void Begin(int slot, in SamplingRequest request)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)Slots, nameof(slot));
        request.Require(vocabularySize);
        SamplingScratch room = request.Parameters.Greedy ? new SamplingScratch(0) : scratch ??= new SamplingScratch(vocabularySize);
        var sampler = new TokenSampler(request.Parameters, vocabularySize, request.Seed, (ulong)request.Step, room);
        foreach (int id in request.SeenIds.Span)
            sampler.Remember(id);
        answers[slot] = new Answer(sampler, LogitAdjustments.Of(request), request.LogProbs, request.TopLogProbs);
    }

    public void Choose(IBoundGraph graph, Tensor logits, ReadOnlySpan<SampleRow> rows)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (choices.Count == ITokenSampler.MaximumPending)
            throw new InvalidOperationException($"{ITokenSampler.MaximumPending} choices are not taken yet");
        Span<float> values = graph.Output(logits);
        var chosen = new TokenChoice[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            Span<float> row = values.Slice(rows[i].Row * vocabularySize, vocabularySize);
            if (rows[i].Ranking is { } ranking)
            {
                chosen[i] = Rank(ranking, row);
                continue;
            }

            Answer answer = Of(rows[i].Slot);
            chosen[i] = Choose(answer, row);
            answer.Latest = chosen[i].Id;
        }

        choices.Enqueue(chosen);
    }

    public ReadOnlySpan<TokenChoice> Take() => choices.TryDequeue(out TokenChoice[]? chosen) ? chosen : throw new InvalidOperationException("nothing was chosen");

    public void Dispose()
    {
    }

    private Answer Of(int slot) => answers[slot] ?? throw new InvalidOperationException($"slot {slot}: no answer was begun");

    private TokenChoice Rank(TokenRanking ranking, Span<float> logits)
    {
        ranking.Require(vocabularySize);
        try
        {
            _ = TokenSampler.Largest(logits);
        }
        catch (InvalidOperationException error)
        {
            return new TokenChoice(0, error.Message, 0, default);
        }

        TokenLogProb[] top = ranking.Rank(logits);
        return new TokenChoice(top[0].Id, null, top[0].LogProb, top);
    }

    private TokenChoice Choose(Answer answer, Span<float> logits)
    {
        bool wantsLogProbs = answer.LogProbs || answer.Top > 0;
        if (wantsLogProbs)
        {
            if (asGiven.Length == 0)
                asGiven = new float[vocabularySize];
            logits.CopyTo(asGiven);
        }

        int id;
        try
        {
            answer.Adjustments?.Apply(logits);
            id = answer.Sampler.Next(logits);
            answer.Adjustments?.Hear(id);
        }
        catch (InvalidOperationException error)
        {
            return new TokenChoice(0, error.Message, 0, default);
        }

        if (!wantsLogProbs)
            return new TokenChoice(id, null, 0, default);
        LogProbabilities logProbs = LogProbabilities.Of(asGiven);
        return new TokenChoice(id, null, answer.LogProbs ? logProbs[asGiven[id]] : 0, logProbs.Top(asGiven, answer.Top));
    }

    private sealed class Answer(TokenSampler sampler, LogitAdjustments? adjustments, bool logProbs, int top)
    {
        public TokenSampler Sampler => sampler;

        public LogitAdjustments? Adjustments => adjustments;

        public bool LogProbs => logProbs;

        public int Top => top;

        public int Latest { get; set; }
    }
}
