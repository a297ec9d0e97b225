using System.Numerics;

namespace XComposer2.Native.Runtime;

/// <summary>
/// Chooses the tokens of one answer. Deterministic: the same logits, parameters and seed give the same ids. Not thread-safe; allocates
/// nothing after construction.
/// <para>
/// The order is that of transformers 4.33: repetition penalty on each id chosen before (once, however often it was chosen: positive logits
/// are divided by it, others multiplied), temperature, top-k (logits equal to the k-th stay), top-p (a token stays while the likelier ones
/// sum to less than top-p; of equal logits the lower ids go first), softmax, draw.
/// </para>
/// <para>
/// The draw: u = <see cref="Philox4x32.Uniform"/> of seed and step, where step counts the tokens of this answer from 0. The chosen id is
/// the first at which the sum of exp((logit - largest) / temperature) over the ids that stay, in ascending order, exceeds u times the
/// whole sum. Terms are float32, sums float64.
/// </para>
/// <para>Logits of -infinity are never chosen. +infinity wins over every finite logit.</para>
/// </summary>
public sealed class TokenSampler
{
    private readonly SamplingParameters parameters;
    private readonly int vocabularySize;
    private readonly ulong seed;
    private readonly bool[] chosen;
    private readonly int[] chosenIds;
    private readonly DescendingSum order;
    private readonly int[] candidates;
    private readonly float[] candidateLogits;
    private readonly float[] weights;
    private int chosenCount;
    private ulong step;

    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of its range; temperature, top-k and top-p of a greedy choice are not looked at.</exception>
    public TokenSampler(SamplingParameters parameters, int vocabularySize, ulong seed)
        : this(parameters, vocabularySize, seed, 0, new SamplingScratch(parameters.Greedy ? 0 : vocabularySize))
    {
    }

    /// <param name="parameters">How to choose.</param>
    /// <param name="vocabularySize">Logits.</param>
    /// <param name="seed">Of the draws.</param>
    /// <param name="step">Tokens of the answer before the first one that is chosen here.</param>
    /// <param name="scratch">May be shared by samplers that are used one after another; not read where the choice is greedy.</param>
    internal TokenSampler(SamplingParameters parameters, int vocabularySize, ulong seed, ulong step, SamplingScratch scratch)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        RequireInRange(parameters);
        this.parameters = parameters;
        this.vocabularySize = vocabularySize;
        this.seed = seed;
        this.step = step;
        chosen = new bool[vocabularySize];
        chosenIds = new int[vocabularySize];
        order = scratch.Order;
        candidates = scratch.Candidates;
        candidateLogits = scratch.CandidateLogits;
        weights = scratch.Weights;
    }

    /// <summary>Chooses an id and remembers it for the repetition penalty. <paramref name="logits"/> is [vocabularySize] and may be overwritten.</summary>
    /// <exception cref="ArgumentException">Another number of logits.</exception>
    /// <exception cref="InvalidOperationException">A logit is NaN, or all are -infinity: the model's arithmetic failed.</exception>
    public int Next(Span<float> logits)
    {
        if (logits.Length != vocabularySize)
            throw new ArgumentException($"expected {vocabularySize} logits, found {logits.Length}", nameof(logits));
        Penalize(logits);
        float largest = Largest(logits);
        int id = parameters.Greedy ? FirstOf(logits, largest) : Draw(Weigh(logits, largest));
        Remember(id);
        step++;
        return id;
    }

    /// <summary>The id counts as chosen before.</summary>
    internal void Remember(int id)
    {
        if (chosen[id])
            return;
        chosen[id] = true;
        chosenIds[chosenCount++] = id;
    }

    /// <summary>What <see cref="Next"/> draws from.</summary>
    /// <param name="logits">As there.</param>
    /// <param name="probabilities">[vocabularySize].</param>
    internal void Probabilities(Span<float> logits, Span<double> probabilities)
    {
        Penalize(logits);
        int count = Weigh(logits, Largest(logits));
        double sum = Sum(count);
        probabilities.Clear();
        for (int i = 0; i < count; i++)
            probabilities[candidates[i]] = weights[i] / sum;
    }

    internal static void RequireInRange(SamplingParameters parameters)
    {
        Require(parameters.RepetitionPenalty > 0 && float.IsFinite(parameters.RepetitionPenalty), nameof(parameters.RepetitionPenalty), parameters.RepetitionPenalty, "over 0");
        if (parameters.Greedy)
            return;
        Require(parameters.Temperature > 0 && float.IsFinite(parameters.Temperature), nameof(parameters.Temperature), parameters.Temperature, "over 0");
        Require(parameters.TopK >= 0, nameof(parameters.TopK), parameters.TopK, "0 or more");
        Require(parameters.TopP is > 0 and <= 1, nameof(parameters.TopP), parameters.TopP, "over 0 and at most 1");

        static void Require(bool met, string name, object found, string expected)
        {
            if (!met)
                throw new ArgumentOutOfRangeException(nameof(parameters), found, $"{name}: expected {expected}");
        }
    }

    private void Penalize(Span<float> logits)
    {
        float penalty = parameters.RepetitionPenalty;
        if (penalty == 1)
            return;
        foreach (int id in chosenIds.AsSpan(0, chosenCount))
            logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
    }

    /// <exception cref="InvalidOperationException">A logit is NaN, or all are -infinity.</exception>
    internal static float Largest(ReadOnlySpan<float> logits)
    {
        Vector<float> largest = new(float.NegativeInfinity);
        Vector<int> ordered = Vector<int>.AllBitsSet;
        int i = 0;
        for (; i <= logits.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> some = new(logits[i..]);
            ordered &= Vector.Equals(some, some);
            largest = Vector.Max(largest, some);
        }
        float result = float.NegativeInfinity;
        for (int lane = 0; lane < Vector<float>.Count; lane++)
            result = Math.Max(result, largest[lane]);
        // Math.Max hands NaN on.
        for (; i < logits.Length; i++)
            result = Math.Max(result, logits[i]);
        if (float.IsNaN(result) || ordered != Vector<int>.AllBitsSet)
            throw new InvalidOperationException($"the logit of id {FirstNaN(logits)} is NaN");
        if (float.IsNegativeInfinity(result))
            throw new InvalidOperationException("every logit is -infinity");
        return result;
    }

    private static int FirstNaN(ReadOnlySpan<float> logits)
    {
        int id = 0;
        while (!float.IsNaN(logits[id]))
            id++;
        return id;
    }

    private static int FirstOf(ReadOnlySpan<float> logits, float value)
    {
        Vector<float> wanted = new(value);
        int i = 0;
        while (i <= logits.Length - Vector<float>.Count && !Vector.EqualsAny(wanted, new Vector<float>(logits[i..])))
            i += Vector<float>.Count;
        while (logits[i] != value)
            i++;
        return i;
    }

    /// <summary>Fills candidates, ascending, and their weights; a weight is zero where top-p takes the token out.</summary>
    /// <returns>Their number.</returns>
    private int Weigh(ReadOnlySpan<float> logits, float largest)
    {
        float smallest = parameters.TopK > 0 && parameters.TopK < vocabularySize ? order.Reach(logits, [], parameters.TopK, out _) : float.NegativeInfinity;
        int count = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            float logit = logits[id];
            if (logit < smallest || logit == float.NegativeInfinity)
                continue;
            candidates[count] = id;
            candidateLogits[count] = logit;
            // Infinite less infinite is no number.
            weights[count++] = logit == largest ? 1 : MathF.Exp((logit - largest) / parameters.Temperature);
        }
        if (parameters.TopP < 1)
            KeepLikeliest(count);
        return count;
    }

    private void KeepLikeliest(int count)
    {
        double wanted = parameters.TopP * Sum(count);
        float border = order.Reach(candidateLogits.AsSpan(0, count), weights.AsSpan(0, count), wanted, out double above);
        for (int i = count - 1; i >= 0; i--)
        {
            if (candidateLogits[i] > border)
                continue;
            if (candidateLogits[i] == border && above < wanted)
                above += weights[i];
            else
                weights[i] = 0;
        }
    }

    private double Sum(int count)
    {
        double sum = 0;
        foreach (float weight in weights.AsSpan(0, count))
            sum += weight;
        return sum;
    }

    private int Draw(int count)
    {
        double wanted = Philox4x32.Uniform(seed, step) * Sum(count), sum = 0;
        int i = -1;
        // Ends: the same sum in the same order exceeds a part of itself.
        while (sum <= wanted)
            sum += weights[++i];
        return candidates[i];
    }
}

/// <summary>What one choice needs for as long as it lasts.</summary>
/// <param name="room">Tokens of the vocabulary; 0 for greedy choices alone.</param>
internal sealed class SamplingScratch(int room)
{
    public DescendingSum Order { get; } = new();

    public int[] Candidates { get; } = new int[room];

    public float[] CandidateLogits { get; } = new float[room];

    public float[] Weights { get; } = new float[room];
}
