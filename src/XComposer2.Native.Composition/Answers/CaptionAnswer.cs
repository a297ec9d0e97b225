namespace XComposer2.Native.Composition;

/// <summary>A caption: a model's answer up to the quotation mark that closes it.</summary>
internal static class CaptionAnswer
{
    private const int MaximumCharacters = 200;

    /// <returns>Empty where the answer has none.</returns>
    public static string Read(string answer)
    {
        int end = answer.IndexOf('"', StringComparison.Ordinal);
        string caption = ArticleText.Join(end < 0 ? answer : answer[..end]);
        return AnswerQuote.Cut(caption, MaximumCharacters);
    }

    /// <summary>What a section says, as a caption for want of a better one.</summary>
    public static string Of(ArticleSection section) => AnswerQuote.Cut(section.Text.TrimStart('#', ' ').Replace('"', '\''), 53);
}
