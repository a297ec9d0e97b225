using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>How an answer is searched for.</summary>
/// <param name="Beams">Sequences that are continued at each step, 2 or more.</param>
/// <param name="LengthPenalty">A hypothesis is scored by its log-probability over its length to this power.</param>
/// <param name="EarlyStopping">Ends as soon as there are as many hypotheses as beams, not when none of the beams can be better.</param>
/// <param name="RepetitionPenalty">Multiplies log-probabilities of ids that a sequence has.</param>
/// <param name="StartIds">Ids that count as the beginning of every sequence, for lengths and the penalty; one at least.</param>
/// <param name="EndIds">End marks.</param>
internal sealed record BeamSettings(int Beams, float LengthPenalty, bool EarlyStopping, float RepetitionPenalty, IReadOnlyList<int> StartIds, IReadOnlyList<int> EndIds)
{
    /// <summary>Beams of an answer.</summary>
    public const int MaximumBeams = 8;

    /// <summary>Candidates of a step, all beams together; so many of each beam are enough.</summary>
    public int Candidates => Math.Max(2, 1 + EndIds.Count) * Beams;
}

/// <summary>Beam search by the rules of transformers 4.33 (<c>generate(num_beams=k, do_sample=False)</c>, batch 1). Knows no model: it is given the likeliest
/// ids of each running beam, and says which beams go on.</summary>
/// <remarks>Log-probabilities and their sums are floats, quotients by lengths doubles, as there. Of equal candidates, whose order is not specified there, the
/// one of the earlier beam, then the lower id goes first.</remarks>
/// <param name="settings">How.</param>
/// <param name="maxTokens">Tokens of a sequence at most.</param>
internal sealed class BeamSearch(BeamSettings settings, int maxTokens)
{
    private readonly List<BeamHypothesis> hypotheses = [];
    private readonly List<Candidate> candidates = [];
    private int tokens;

    /// <summary>Sequences that go on, the most likely first. Before the first step there is one, without a token.</summary>
    public IReadOnlyList<Beam> Running { get; private set; } = [new Beam(0, null, 0)];

    /// <summary>There are no more steps.</summary>
    public bool IsDone { get; private set; }

    /// <summary>The best hypothesis; when the search is done.</summary>
    public BeamHypothesis Best { get; private set; } = new(null, 0);

    /// <summary>Its end mark was reached, and not the limit of tokens.</summary>
    public bool IsEnded => Length(Best.Last) < maxTokens;

    /// <summary>Hypotheses, in the order in which they were found.</summary>
    public IReadOnlyList<BeamHypothesis> Hypotheses => hypotheses;

    private double Worst => hypotheses.Min(static hypothesis => hypothesis.Score);

    /// <summary>What is wanted of the logits behind a beam.</summary>
    public TokenRanking Ranking(Beam beam) => new(settings.Candidates, settings.RepetitionPenalty, settings.RepetitionPenalty == 1 ? [] : [.. settings.StartIds, .. Ids(beam.Last)]);

    /// <summary>Makes a step.</summary>
    /// <param name="ranked">Of each of <see cref="Running"/>, in their order, what <see cref="Ranking"/> asked for.</param>
    public void Advance(ReadOnlySpan<TokenChoice> ranked)
    {
        int before = settings.StartIds.Count + tokens;
        FindCandidates(ranked);
        tokens++;
        var next = new List<Beam>(settings.Beams);
        for (int rank = 0; rank < candidates.Count && next.Count < settings.Beams; rank++)
        {
            Candidate candidate = candidates[rank];
            BeamToken? last = Running[candidate.Beam].Last;
            if (!settings.EndIds.Contains(candidate.Id))
                next.Add(new Beam(candidate.Beam, new BeamToken(last, candidate.Id), candidate.Score));
            else if (rank < settings.Beams)
                Add(new BeamHypothesis(last, Scored(candidate.Score, before)));
        }

        bool isSettled = candidates.Count == 0 || (hypotheses.Count == settings.Beams && (settings.EarlyStopping || Worst >= Scored(candidates[0].Score, before + 1)));
        Running = next;
        if (isSettled || tokens == maxTokens || next.Count == 0)
            Finish(isSettled);
    }

    /// <summary>Ids of a sequence, without an end mark.</summary>
    public static List<int> Ids(BeamToken? last)
    {
        var ids = new List<int>();
        for (BeamToken? token = last; token is not null; token = token.Before)
            ids.Add(token.Id);
        ids.Reverse();
        return ids;
    }

    private void FindCandidates(ReadOnlySpan<TokenChoice> ranked)
    {
        candidates.Clear();
        for (int beam = 0; beam < ranked.Length; beam++)
            foreach (TokenLogProb token in ranked[beam].Top.Span)
                candidates.Add(new Candidate(beam, token.Id, Running[beam].Score + token.LogProb));
        candidates.Sort();
        if (candidates.Count > settings.Candidates)
            candidates.RemoveRange(settings.Candidates, candidates.Count - settings.Candidates);
    }

    private void Finish(bool isSettled)
    {
        if (!isSettled)
            foreach (Beam beam in Running)
                Add(new BeamHypothesis(beam.Last, Scored(beam.Score, settings.StartIds.Count + tokens)));
        IsDone = true;
        foreach (BeamHypothesis hypothesis in hypotheses)
            if (hypothesis.Score >= Best.Score || ReferenceEquals(hypothesis, hypotheses[0]))
                Best = hypothesis;
    }

    private void Add(BeamHypothesis hypothesis)
    {
        if (hypotheses.Count == settings.Beams)
        {
            double worst = Worst;
            if (hypothesis.Score <= worst)
                return;
            hypotheses.RemoveAt(hypotheses.FindIndex(kept => kept.Score == worst));
        }

        hypotheses.Add(hypothesis);
    }

    private double Scored(float sum, int length) => sum / Math.Pow(length, settings.LengthPenalty);

    private static int Length(BeamToken? last)
    {
        int length = 0;
        for (BeamToken? token = last; token is not null; token = token.Before)
            length++;
        return length;
    }

    private readonly record struct Candidate(int Beam, int Id, float Score) : IComparable<Candidate>
    {
        public int CompareTo(Candidate other) => other.Score != Score ? other.Score.CompareTo(Score) : Beam != other.Beam ? Beam.CompareTo(other.Beam) : Id.CompareTo(other.Id);
    }
}

/// <summary>A sequence that goes on.</summary>
/// <param name="Parent">Place, among the beams before the last step, of the one that it continues.</param>
/// <param name="Last">Its last token; null before the first.</param>
/// <param name="Score">Sum of its log-probabilities.</param>
internal sealed record Beam(int Parent, BeamToken? Last, float Score);

/// <summary>A token, and what precedes it: beams share their beginnings.</summary>
/// <param name="Before">Null for the first token.</param>
/// <param name="Id">The token.</param>
internal sealed record BeamToken(BeamToken? Before, int Id);

/// <summary>A sequence that may be the answer.</summary>
/// <param name="Last">Its last token without the end mark; null for an empty answer.</param>
/// <param name="Score">Log-probability, that of the end mark included, over the length to the power of the length penalty.</param>
internal sealed record BeamHypothesis(BeamToken? Last, double Score);
