using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>Sampling, limits and stop texts of one answer. The defaults are those of the original chat() call.</summary>
public sealed record GenerationOptions
{
    /// <summary>Always takes the most likely token; temperature, top-k and top-p are ignored.</summary>
    public bool Greedy { get; init; }

    /// <summary>Temperature of sampling; over 0.</summary>
    public float Temperature { get; init; } = 1.0f;

    /// <summary>Keeps the k most likely tokens; 0 keeps all.</summary>
    public int TopK { get; init; } = 50;

    /// <summary>Keeps the smallest set of tokens whose probabilities reach this sum; over 0, at most 1.</summary>
    public float TopP { get; init; } = 0.8f;

    /// <summary>Penalty of repeated tokens; over 0, 1 for none. Applies to the tokens of the answer (<see cref="PenalizePrompt"/>).</summary>
    public float RepetitionPenalty { get; init; } = 1.005f;

    /// <summary>Whether the repetition penalty applies to the tokens of the prompt too. Null: in conversations without pictures, as in the original, whose
    /// generate() sees the ids of such prompts and no ids of prompts with pictures.</summary>
    public bool? PenalizePrompt { get; init; }

    /// <summary>The same seed gives the same text on the same device; null draws a seed below 2^53.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Maximum length of the answer in tokens.</summary>
    public int MaxTokens { get; init; } = 1024;

    /// <summary>The answer ends before the first of these texts.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Maximum duration of the answer, including waiting; null for no limit. After it, the answer fails with a <see cref="TimeoutException"/>.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Requests the log-probability of each token (<see cref="GenerationResult.LogProbs"/>).</summary>
    public bool LogProbs { get; init; }

    /// <summary>Requests this number of most likely tokens at each position, with their log-probabilities; 0 to 20.</summary>
    public int TopLogProbs { get; init; }

    /// <summary>Drawn seeds are below 2^53, so that JSON readers that hold numbers as doubles read them exactly.</summary>
    internal const long MaximumDrawnSeed = 1L << 53;

    internal bool WantsLogProbs => LogProbs || TopLogProbs > 0;

    /// <param name="seed">Of the choices.</param>
    /// <param name="prompt">All positions.</param>
    internal SamplingRequest Sampling(ulong seed, IReadOnlyList<PromptPosition> prompt) => new()
    {
        Parameters = new SamplingParameters(Greedy, Temperature, TopK, TopP, RepetitionPenalty),
        Seed = seed,
        SeenIds = RepetitionPenalty != 1 && (PenalizePrompt ?? !prompt.Any(static position => position.Picture is not null))
            ? prompt.Where(static position => position.Picture is null).Select(static position => position.Id).ToArray()
            : default(ReadOnlyMemory<int>),
        LogProbs = LogProbs,
        TopLogProbs = TopLogProbs,
    };
}

/// <summary>Range checks of <see cref="GenerationOptions"/>.</summary>
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
