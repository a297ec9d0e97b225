using System.Numerics;

namespace XComposer2.Native.Runtime;

/// <summary>Logarithms of the probabilities that a row of logits stands for.</summary>
/// <param name="Largest">Logit.</param>
/// <param name="LogSum">Of exp(logit - largest).</param>
internal readonly record struct LogProbabilities(float Largest, float LogSum)
{
    /// <param name="logits">No NaN, one above -infinity.</param>
    public static LogProbabilities Of(ReadOnlySpan<float> logits)
    {
        float largest = TokenSampler.Largest(logits);
        double sum = 0;
        int i = 0;
        // Infinite less infinite is no number: such a row goes one by one.
        if (float.IsFinite(largest))
        {
            Vector<double> sums = Vector<double>.Zero;
            for (; i <= logits.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector.Widen(Vector.Exp(new Vector<float>(logits[i..]) - new Vector<float>(largest)), out Vector<double> low, out Vector<double> high);
                sums += low + high;
            }

            sum = Vector.Sum(sums);
        }

        for (; i < logits.Length; i++)
            sum += Math.Exp(Below(logits[i], largest));
        return new LogProbabilities(largest, (float)Math.Log(sum));
    }

    public float this[float logit] => Below(logit, Largest) - LogSum;

    /// <summary>The likeliest ids, likeliest first, of equal ones the lower id. Those of -infinity are not among them.</summary>
    public TokenLogProb[] Top(ReadOnlySpan<float> logits, int count)
    {
        if (count == 0)
            return [];
        var top = new TopTokens(count);
        for (int id = 0; id < logits.Length; id++)
            top.Add(new TokenLogProb(id, logits[id]));
        TokenLogProb[] found = top.ToArray();
        for (int place = 0; place < found.Length; place++)
            found[place] = found[place] with { LogProb = this[found[place].LogProb] };
        return found;
    }

    // Infinite less infinite is no number.
    private static float Below(float logit, float largest) => logit == largest ? 0 : logit - largest;
}

/// <summary>The largest of many values, largest first, of equal ones the lower id. Those of -infinity are not among them.</summary>
/// <param name="count">So many at most; 1 or more.</param>
internal ref struct TopTokens(int count)
{
    private readonly TokenLogProb[] top = new TokenLogProb[count];
    private int found;

    public void Add(TokenLogProb token)
    {
        if (float.IsNegativeInfinity(token.LogProb) || (found == top.Length && !Precedes(token, top[^1])))
            return;
        int place = found < top.Length ? found++ : found - 1;
        for (; place > 0 && Precedes(token, top[place - 1]); place--)
            top[place] = top[place - 1];
        top[place] = token;
    }

    public readonly TokenLogProb[] ToArray() => top[..found];

    private static bool Precedes(TokenLogProb token, TokenLogProb other) => token.LogProb != other.LogProb ? token.LogProb > other.LogProb : token.Id < other.Id;
}
