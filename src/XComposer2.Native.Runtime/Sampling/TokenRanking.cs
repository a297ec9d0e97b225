
namespace XComposer2.Native.Runtime;

/// <summary>The likeliest ids behind a row of logits, asked for in place of a choice: what a search over sequences wants.</summary>
/// <param name="Count">So many, at most <see cref="MaximumCount"/>; fewer are told where fewer are above -infinity.</param>
/// <param name="Penalty">The log-probabilities of seen ids are multiplied by it; 1 or more. Ids are ranked by what comes of it.</param>
/// <param name="Seen">Ids that the penalty applies to.</param>
public sealed record TokenRanking(int Count, float Penalty, IReadOnlyList<int> Seen)
{
    /// <summary>Ids that may be asked for.</summary>
    public const int MaximumCount = 128;

    /// <exception cref="ArgumentException">Something is out of range.</exception>
    internal void Require(int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Count, MaximumCount);
        if (!(float.IsFinite(Penalty) && Penalty >= 1))
            throw new ArgumentException($"penalty of seen ids: expected a finite number, 1 or more, found {Penalty}");
        foreach (int id in Seen)
            if ((uint)id >= (uint)vocabularySize)
                throw new ArgumentException($"seen ids: expected ids below {vocabularySize}, found {id}");
    }

    /// <summary>Ranks a whole row.</summary>
    /// <param name="logits">No NaN, one above -infinity. Overwritten.</param>
    internal TokenLogProb[] Rank(Span<float> logits)
    {
        LogProbabilities logProbs = LogProbabilities.Of(logits);
        var ranked = new List<TokenLogProb>(Count);
        if (Penalty != 1)
            foreach (int id in Seen)
            {
                if (float.IsNegativeInfinity(logits[id]))
                    continue;
                ranked.Add(new TokenLogProb(id, logProbs[logits[id]] * Penalty));
                logits[id] = float.NegativeInfinity;
            }

        ranked.AddRange(logProbs.Top(logits, Count));
        return First(ranked);
    }

    /// <summary>Ranks tokens among which are all that are wanted, with penalised log-probabilities.</summary>
    internal TokenLogProb[] First(List<TokenLogProb> tokens)
    {
        var first = new TopTokens(Count);
        foreach (TokenLogProb token in tokens)
            first.Add(token);
        return first.ToArray();
    }
}
