using System.Globalization;
using System.Text.RegularExpressions;

namespace XComposer2.Native.Composition;

/// <summary>After which sections figures belong, read from a model's answer: every <c>&lt;SegN&gt;</c> anywhere in it.</summary>
/// <param name="Places">Indices of sections, ascending, each once.</param>
/// <param name="Problem">What of the answer could not be used, in a sentence; null where all could.</param>
internal sealed partial record PlacesAnswer(IReadOnlyList<int> Places, string? Problem)
{
    /// <param name="answer">Of the model.</param>
    /// <param name="sections">Sections of the article.</param>
    /// <param name="most">How many places were asked for; of more, those named first are taken.</param>
    public static PlacesAnswer Read(string answer, int sections, int most)
    {
        var named = new List<int>();
        int outside = 0, repeated = 0;
        foreach (Match match in Segments().Matches(answer))
        {
            if (!int.TryParse(match.ValueSpan[4..^1], NumberStyles.None, CultureInfo.InvariantCulture, out int index) || index >= sections)
                outside++;
            else if (named.Contains(index))
                repeated++;
            else
                named.Add(index);
        }
        int over = Math.Max(0, named.Count - most);
        string? problem = Problems(answer, named.Count, outside, repeated, over);
        return new PlacesAnswer([.. named.Take(most).Order()], problem);
    }

    private static string? Problems(string answer, int named, int outside, int repeated, int over)
    {
        if (named == 0)
            return $"the model named no place for a figure: \"{AnswerQuote.Of(answer)}\"";
        List<string> parts = [];
        if (outside > 0)
            parts.Add($"{outside} beyond the article");
        if (repeated > 0)
            parts.Add($"{repeated} twice");
        if (over > 0)
            parts.Add($"{over} more than asked for");
        return parts.Count == 0 ? null : $"the model named places that were dropped: {string.Join(", ", parts)}";
    }

    [GeneratedRegex("<Seg[0-9]+>", RegexOptions.CultureInvariant)]
    private static partial Regex Segments();
}

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
