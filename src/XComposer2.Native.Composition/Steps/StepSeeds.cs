namespace XComposer2.Native.Composition;

/// <summary>A seed for each question of an article, all made of one, so that a step gives the same whether it runs alone or after the others.</summary>
internal static class StepSeeds
{
    private const ulong GoldenRatio = 0x9E37_79B9_7F4A_7C15;
    private const int QuestionsOfAStep = 4096;

    /// <param name="seed">The user's; the text is written with it as it is.</param>
    /// <param name="step">Which step.</param>
    /// <param name="index">Which question of the step.</param>
    public static ulong Of(ulong seed, CompositionStep step, int index) =>
        unchecked(seed + (GoldenRatio * (ulong)(((int)step * QuestionsOfAStep) + index)));

    /// <summary>A number that a person can type again.</summary>
    public static ulong Draw() => (ulong)Random.Shared.Next(1, 1_000_000_000);
}
