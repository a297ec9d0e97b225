using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>How to generate one answer. The defaults are those of the original chat() call.</summary>
public sealed record GenerationOptions
{
    /// <summary>Takes the most likely token every time; temperature, top-k and top-p are ignored.</summary>
    public bool Greedy { get; init; }

    /// <summary>Over 0.</summary>
    public float Temperature { get; init; } = 1.0f;

    /// <summary>Keeps the k most likely tokens; 0 keeps all.</summary>
    public int TopK { get; init; } = 50;

    /// <summary>Keeps the smallest set of tokens whose probabilities reach this sum; over 0, at most 1.</summary>
    public float TopP { get; init; } = 0.8f;

    /// <summary>Over 0; 1 is none. Applies to generated tokens only.</summary>
    public float RepetitionPenalty { get; init; } = 1.005f;

    /// <summary>The same seed gives the same text on the same device; null draws one below 2^53.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Longest answer in tokens.</summary>
    public int MaxTokens { get; init; } = 1024;

    /// <summary>The answer ends before the first of these texts.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>The answer fails where it is not complete after this time, waiting included; null for no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Wants the log-probability of each token (<see cref="GenerationResult.LogProbs"/>).</summary>
    public bool LogProbs { get; init; }

    /// <summary>Wants so many of the likeliest tokens at each place, with their log-probabilities; 0 to 20.</summary>
    public int TopLogProbs { get; init; }

    /// <summary>Drawn seeds are below 2^53, so that JSON readers that hold numbers as doubles read them exactly.</summary>
    internal const long MaximumDrawnSeed = 1L << 53;

    internal bool WantsLogProbs => LogProbs || TopLogProbs > 0;

    internal SamplingRequest Sampling(ulong seed) => new()
    {
        Parameters = new SamplingParameters(Greedy, Temperature, TopK, TopP, RepetitionPenalty),
        Seed = seed,
        LogProbs = LogProbs,
        TopLogProbs = TopLogProbs,
    };
}

/// <summary>Refuses options that are out of range, in the words of their names.</summary>
internal static class GenerationChecks
{
    /// <exception cref="EngineException">One is out of range.</exception>
    public static void Require(GenerationOptions options)
    {
        EngineException.ThrowUnless(options.Greedy || (float.IsFinite(options.Temperature) && options.Temperature > 0), "temperature", "a finite number over 0", options.Temperature);
        EngineException.ThrowUnless(options.Greedy || options.TopK >= 0, "top-k", "0 or more", options.TopK);
        EngineException.ThrowUnless(options.Greedy || (options.TopP > 0 && options.TopP <= 1), "top-p", "a number over 0, at most 1", options.TopP);
        EngineException.ThrowUnless(float.IsFinite(options.RepetitionPenalty) && options.RepetitionPenalty > 0, "repetition penalty", "a finite number over 0", options.RepetitionPenalty);
        EngineException.ThrowUnless(options.MaxTokens >= 1, "max tokens", "1 or more", options.MaxTokens);
        EngineException.ThrowUnless(options.Timeout is null || options.Timeout > TimeSpan.Zero, "timeout", "a time over 0", options.Timeout);
        EngineException.ThrowUnless(options.TopLogProbs is >= 0 and <= SamplingRequest.MaximumTopLogProbs, "top log-probabilities", $"0 to {SamplingRequest.MaximumTopLogProbs}", options.TopLogProbs);
        foreach (string stop in options.Stop)
            EngineException.ThrowUnless(!string.IsNullOrEmpty(stop), "stop", "texts that are not empty", "an empty one");
    }
}
