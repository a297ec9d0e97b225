using XComposer2.Native.Runtime;

namespace XComposer2.Native.UnitTests;

/// <summary>The sampler's rules in their plainest form: sort everything, in double precision.</summary>
internal static class SamplerReference
{
    public static double[] Probabilities(SamplingParameters parameters, IEnumerable<int> previous, ReadOnlySpan<float> logits)
    {
        float[] penalized = logits.ToArray();
        foreach (int id in previous.Distinct())
            penalized[id] = penalized[id] > 0 ? penalized[id] / parameters.RepetitionPenalty : penalized[id] * parameters.RepetitionPenalty;
        // Ascending; of equal logits the lower id first.
        int[] order = [.. Enumerable.Range(0, penalized.Length).OrderBy(id => penalized[id])];
        float kth = parameters.TopK is 0 ? float.NegativeInfinity : penalized[order[Math.Max(0, order.Length - parameters.TopK)]];
        double largest = penalized[order[^1]];
        double[] weights = [.. penalized.Select(logit => logit < kth || logit == float.NegativeInfinity ? 0 : logit == largest ? 1 : Math.Exp((logit - largest) / parameters.Temperature))];
        double sum = weights.Sum(), cumulative = 0;
        if (parameters.TopP < 1)
            foreach (int id in order[..^1])
            {
                cumulative += weights[id];
                if (cumulative <= (1 - (double)parameters.TopP) * sum)
                    weights[id] = 0;
            }
        return [.. weights.Select(weight => weight / weights.Sum())];
    }
}
