namespace XComposer2.Native;

/// <summary>Refuses options that are out of range, in the words of their names.</summary>
internal static class GenerationChecks
{
    /// <exception cref="EngineException">One is out of range.</exception>
    public static void Require(GenerationOptions options)
    {
        Check(options.Greedy || (float.IsFinite(options.Temperature) && options.Temperature > 0), "temperature", "a finite number over 0", options.Temperature);
        Check(options.Greedy || options.TopK >= 0, "top-k", "0 or more", options.TopK);
        Check(options.Greedy || (options.TopP > 0 && options.TopP <= 1), "top-p", "a number over 0, at most 1", options.TopP);
        Check(float.IsFinite(options.RepetitionPenalty) && options.RepetitionPenalty > 0, "repetition penalty", "a finite number over 0", options.RepetitionPenalty);
        Check(options.MaxTokens >= 1, "max tokens", "1 or more", options.MaxTokens);
        foreach (string stop in options.Stop)
            Check(!string.IsNullOrEmpty(stop), "stop", "texts that are not empty", "an empty one");
    }

    private static void Check<T>(bool holds, string option, string expected, T found)
    {
        if (!holds)
            throw new EngineException(FormattableString.Invariant($"{option}: expected {expected}, found {found}"));
    }
}
