using System.Runtime.InteropServices;

namespace XComposer2.Native.Runtime;

/// <summary>What one answer changes in its logits before the repetition penalty: tokens that are impossible, biases of ids, and penalties for what the answer contains.
/// Not thread-safe.</summary>
/// <param name="constraint">Which tokens are possible; null for all.</param>
/// <param name="biases">Added to the logits of these ids.</param>
/// <param name="frequencyPenalty">Subtracted once for each occurrence of an id in the answer.</param>
/// <param name="presencePenalty">Subtracted once from each id that occurs in the answer.</param>
internal sealed class LogitAdjustments(ITokenConstraint? constraint, ReadOnlyMemory<TokenBias> biases, float frequencyPenalty, float presencePenalty)
{
    private readonly Dictionary<int, int> occurrences = [];

    /// <summary>Null where a request changes no logits.</summary>
    public static LogitAdjustments? Of(in SamplingRequest request) =>
        request.AdjustsLogits ? new LogitAdjustments(request.Constraint, request.Biases, request.FrequencyPenalty, request.PresencePenalty) : null;

    /// <param name="logits">[vocabulary].</param>
    /// <exception cref="InvalidOperationException">The constraint failed.</exception>
    public void Apply(Span<float> logits)
    {
        if (constraint is not null)
            Mask(logits, constraint.Allowed);
        foreach (TokenBias bias in biases.Span)
            logits[bias.Id] += bias.Bias;
        foreach ((int id, int count) in occurrences)
            logits[id] -= (count * frequencyPenalty) + presencePenalty;
    }

    /// <summary>The id belongs to the answer.</summary>
    /// <exception cref="InvalidOperationException">The constraint failed.</exception>
    public void Hear(int id)
    {
        constraint?.Accept(id);
        if (frequencyPenalty != 0 || presencePenalty != 0)
            CollectionsMarshal.GetValueRefOrAddDefault(occurrences, id, out _)++;
    }

    private static void Mask(Span<float> logits, ReadOnlySpan<uint> allowed)
    {
        for (int id = 0; id < logits.Length; id++)
            if ((allowed[id / 32] >> (id % 32) & 1) == 0)
                logits[id] = float.NegativeInfinity;
    }
}

/// <summary>What is added to the logit of an id.</summary>
/// <param name="Id">Below the size of the vocabulary.</param>
/// <param name="Bias">Finite.</param>
public readonly record struct TokenBias(int Id, float Bias);
