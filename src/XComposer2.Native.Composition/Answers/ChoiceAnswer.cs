namespace XComposer2.Native.Composition;

/// <summary>Which candidate a model means: the first letter of a candidate anywhere in its answer.</summary>
/// <param name="Index">Of the candidate; the first where the answer names none.</param>
/// <param name="IsUsable">The answer named one.</param>
internal readonly record struct ChoiceAnswer(int Index, bool IsUsable)
{
    public static ChoiceAnswer Read(string answer, int candidates)
    {
        int at = answer.AsSpan().IndexOfAny(CompositionPrompts.Letters.AsSpan(0, candidates));
        return at < 0 ? new ChoiceAnswer(0, false) : new ChoiceAnswer(answer[at] - CompositionPrompts.Letters[0], true);
    }
}
