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

    /// <summary>Subtracted from the logit of a token once for each of its occurrences in the answer; -2 to 2.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Subtracted from the logit of each token that occurs in the answer; -2 to 2.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Added to the logits of tokens, by id; -100 to 100, at most 1024 of them; null for none.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>What the answer is held to, JSON for example; null for free text.</summary>
    public AnswerFormat? Format { get; init; }

    /// <summary>Sequences that are continued at each step, 1 to 8. With 2 or more the answer is the most likely text that a beam search finds, by the rules of
    /// transformers 4.33: nothing is drawn, the repetition penalty multiplies log-probabilities, and the text arrives when the search has ended. Not with
    /// <see cref="Format"/>, <see cref="LogitBias"/>, the penalties of occurrences or log-probabilities.</summary>
    public int Beams { get; init; } = 1;

    /// <summary>With beams, a text is scored by its log-probability over its length to this power: over 0 favours long ones, below 0 short ones.</summary>
    public float LengthPenalty { get; init; } = 1;

    /// <summary>With beams, the search ends as soon as there are as many complete texts as beams, not when no beam can become better than they are.</summary>
    public bool EarlyStopping { get; init; }

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

    /// <summary>Entries of <see cref="LogitBias"/>.</summary>
    internal const int MaximumBiases = 1024;

    /// <param name="prompt">All positions.</param>
    /// <param name="bosId">Begins the sequences of prompts that are not seen.</param>
    /// <param name="endIds">End marks.</param>
    internal BeamSettings? Search(IReadOnlyList<PromptPosition> prompt, int bosId, IReadOnlyList<int> endIds) => Beams == 1
        ? null
        : new BeamSettings(Beams, LengthPenalty, EarlyStopping, RepetitionPenalty, SeesPrompt(prompt) ? [.. TextIds(prompt)] : [bosId], endIds);

    internal bool WantsLogProbs => LogProbs || TopLogProbs > 0;

    /// <param name="seed">Of the choices.</param>
    /// <param name="prompt">All positions.</param>
    /// <param name="constraint">Of <see cref="Format"/>.</param>
    internal SamplingRequest Sampling(ulong seed, IReadOnlyList<PromptPosition> prompt, ITokenConstraint? constraint = null) => new()
    {
        Constraint = constraint,
        Parameters = new SamplingParameters(Greedy, Temperature, TopK, TopP, RepetitionPenalty),
        Seed = seed,
        SeenIds = RepetitionPenalty != 1 && SeesPrompt(prompt) ? TextIds(prompt).ToArray() : default(ReadOnlyMemory<int>),
        LogProbs = LogProbs,
        TopLogProbs = TopLogProbs,
        Biases = LogitBias is null ? default : BiasesOf(LogitBias),
        FrequencyPenalty = FrequencyPenalty,
        PresencePenalty = PresencePenalty,
    };

    private bool SeesPrompt(IReadOnlyList<PromptPosition> prompt) => PenalizePrompt ?? !prompt.Any(static position => position.Picture is not null);

    private static IEnumerable<int> TextIds(IReadOnlyList<PromptPosition> prompt) => prompt.Where(static position => position.Picture is null).Select(static position => position.Id);

    // Code over numbers as type arguments is compiled at run time: it is apart, for those who use it.
    private static TokenBias[] BiasesOf(IReadOnlyDictionary<int, float> biases) => [.. biases.Select(static bias => new TokenBias(bias.Key, bias.Value))];
}

/// <summary>Range checks of <see cref="GenerationOptions"/>.</summary>
internal static class GenerationChecks
{
    private const float LargestPenalty = 2, LargestBias = 100, LargestLengthPenalty = 10;

    /// <exception cref="EngineException">One is out of range.</exception>
    public static void Require(GenerationOptions options)
    {
        EngineException.ThrowUnless(options.Greedy || (float.IsFinite(options.Temperature) && options.Temperature > 0), "temperature", "a finite number over 0", options.Temperature);
        EngineException.ThrowUnless(options.Greedy || options.TopK >= 0, "top-k", "0 or more", options.TopK);
        EngineException.ThrowUnless(options.Greedy || (options.TopP > 0 && options.TopP <= 1), "top-p", "a number over 0, at most 1", options.TopP);
        EngineException.ThrowUnless(float.IsFinite(options.RepetitionPenalty) && options.RepetitionPenalty > 0, "repetition penalty", "a finite number over 0", options.RepetitionPenalty);
        EngineException.ThrowUnless(Math.Abs(options.FrequencyPenalty) <= LargestPenalty, "frequency penalty", "-2 to 2", options.FrequencyPenalty);
        EngineException.ThrowUnless(Math.Abs(options.PresencePenalty) <= LargestPenalty, "presence penalty", "-2 to 2", options.PresencePenalty);
        if (options.LogitBias is { } biases)
            RequireBiases(biases, null);
        EngineException.ThrowUnless(options.Beams is >= 1 and <= BeamSettings.MaximumBeams, "beams", $"1 to {BeamSettings.MaximumBeams}", options.Beams);
        EngineException.ThrowUnless(Math.Abs(options.LengthPenalty) <= LargestLengthPenalty, "length penalty", $"-{LargestLengthPenalty} to {LargestLengthPenalty}", options.LengthPenalty);
        EngineException.ThrowUnless(options.Beams == 1 || options.RepetitionPenalty >= 1, "repetition penalty", "1 or more with beams", options.RepetitionPenalty);
        if (options.Beams > 1 && NotSearched(options) is { } option)
            throw new EngineException($"{option}: not available with beams");
        EngineException.ThrowUnless(options.MaxTokens >= 1, "max tokens", "1 or more", options.MaxTokens);
        EngineException.ThrowUnless(options.Timeout is null || options.Timeout > TimeSpan.Zero, "timeout", "a time over 0", options.Timeout);
        EngineException.ThrowUnless(options.TopLogProbs is >= 0 and <= SamplingRequest.MaximumTopLogProbs, "top log-probabilities", $"0 to {SamplingRequest.MaximumTopLogProbs}", options.TopLogProbs);
        foreach (string stop in options.Stop)
            EngineException.ThrowUnless(!string.IsNullOrEmpty(stop), "stop", "texts that are not empty", "an empty one");
    }

    /// <exception cref="EngineException">One is out of range, or an id is no token of the model.</exception>
    public static void Require(GenerationOptions options, int vocabularySize)
    {
        Require(options);
        if (options.LogitBias is { } biases)
            RequireBiases(biases, vocabularySize);
    }

    private static string? NotSearched(GenerationOptions options) =>
        options.Format is not null ? "format" :
        options.LogitBias is { Count: > 0 } ? "logit bias" :
        options.FrequencyPenalty != 0 ? "frequency penalty" :
        options.PresencePenalty != 0 ? "presence penalty" :
        options.WantsLogProbs ? "log-probabilities" : null;

    private static void RequireBiases(IReadOnlyDictionary<int, float> biases, int? vocabularySize)
    {
        EngineException.ThrowUnless(biases.Count <= GenerationOptions.MaximumBiases, "logit bias", $"at most {GenerationOptions.MaximumBiases} tokens", biases.Count);
        foreach ((int id, float bias) in biases)
        {
            EngineException.ThrowUnless(Math.Abs(bias) <= LargestBias, $"logit bias of token {id}", "-100 to 100", bias);
            if (vocabularySize is { } size)
                EngineException.ThrowUnless((uint)id < (uint)size, "logit bias", $"ids of 0 to {size - 1}", id);
        }
    }
}
