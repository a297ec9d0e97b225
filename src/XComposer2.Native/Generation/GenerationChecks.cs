namespace XComposer2.Native;

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
        foreach (string stop in options.Stop)
            EngineException.ThrowUnless(!string.IsNullOrEmpty(stop), "stop", "texts that are not empty", "an empty one");
    }
}
