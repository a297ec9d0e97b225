namespace XComposer2.Native.Runtime;

/// <summary>Chooses the tokens of one answer. Deterministic: the same logits, parameters and seed give the same ids. Not thread-safe.</summary>
public sealed class TokenSampler
{
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of its range.</exception>
    public TokenSampler(SamplingParameters parameters, int vocabularySize, ulong seed) => throw new NotImplementedException();

    /// <summary>Chooses an id and remembers it for the repetition penalty. <paramref name="logits"/> is [vocabularySize] and may be overwritten.</summary>
    public int Next(Span<float> logits) => throw new NotImplementedException();
}
