namespace XComposer2.Native.Composition;

/// <summary>Quotes a model's answer in a note.</summary>
internal static class AnswerQuote
{
    private const int MaximumCharacters = 80;

    public static string Of(string answer) => Cut(ArticleText.Join(answer), MaximumCharacters);

    /// <summary>At most this many UTF-16 units, no pair cut in two.</summary>
    public static string Cut(string text, int most)
    {
        if (text.Length <= most)
            return text;
        return text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)].TrimEnd();
    }
}
