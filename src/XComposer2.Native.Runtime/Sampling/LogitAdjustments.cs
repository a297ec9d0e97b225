using System.Runtime.InteropServices;

namespace XComposer2.Native.Runtime;

/// <summary>What one answer adds to its logits before the repetition penalty: biases of ids, and penalties for what the answer contains. Not thread-safe.</summary>
/// <param name="biases">Added to the logits of these ids.</param>
/// <param name="frequencyPenalty">Subtracted once for each occurrence of an id in the answer.</param>
/// <param name="presencePenalty">Subtracted once from each id that occurs in the answer.</param>
internal sealed class LogitAdjustments(ReadOnlyMemory<TokenBias> biases, float frequencyPenalty, float presencePenalty)
{
    private readonly Dictionary<int, int> occurrences = [];

    /// <summary>Null where a request changes no logits.</summary>
    public static LogitAdjustments? Of(in SamplingRequest request) =>
        request.AdjustsLogits ? new LogitAdjustments(request.Biases, request.FrequencyPenalty, request.PresencePenalty) : null;

    /// <param name="logits">[vocabulary].</param>
    public void Apply(Span<float> logits)
    {
        foreach (TokenBias bias in biases.Span)
            logits[bias.Id] += bias.Bias;
        foreach ((int id, int count) in occurrences)
            logits[id] -= (count * frequencyPenalty) + presencePenalty;
    }

    /// <summary>The id belongs to the answer.</summary>
    public void Hear(int id)
    {
        if (frequencyPenalty != 0 || presencePenalty != 0)
            CollectionsMarshal.GetValueRefOrAddDefault(occurrences, id, out _)++;
    }
}

/// <summary>What is added to the logit of an id.</summary>
/// <param name="Id">Below the size of the vocabulary.</param>
/// <param name="Bias">Finite.</param>
public readonly record struct TokenBias(int Id, float Bias);
