using System.Globalization;
using System.Text.RegularExpressions;

namespace XComposer2.Native.Composition;

/// <summary>The places for figures in a model's answer: every <c>&lt;SegN&gt;</c> in it.</summary>
/// <param name="Places">Section indices, ascending, without duplicates.</param>
/// <param name="Problem">A sentence about unusable parts of the answer; null if there are none.</param>
internal sealed partial record PlacesAnswer(IReadOnlyList<int> Places, string? Problem)
{
    /// <param name="answer">The model's answer.</param>
    /// <param name="sections">Number of sections of the article.</param>
    /// <param name="most">Number of requested places; only the first ones named are taken.</param>
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
            parts.Add($"{outside} outside the article");
        if (repeated > 0)
            parts.Add($"{repeated} twice");
        if (over > 0)
            parts.Add($"{over} more than requested");
        return parts.Count == 0 ? null : $"the model named places that were dropped: {string.Join(", ", parts)}";
    }

    [GeneratedRegex("<Seg[0-9]+>", RegexOptions.CultureInvariant)]
    private static partial Regex Segments();
}

/// <summary>A caption: the model's answer up to the closing quotation mark.</summary>
internal static class CaptionAnswer
{
    private const int MaximumCharacters = 200;

    /// <returns>Empty if the answer contains no caption.</returns>
    public static string Read(string answer)
    {
        int end = answer.IndexOf('"', StringComparison.Ordinal);
        string caption = ArticleText.Join(end < 0 ? answer : answer[..end]);
        return AnswerQuote.Cut(caption, MaximumCharacters);
    }

    /// <summary>A substitute caption from the text of a section.</summary>
    public static string Of(ArticleSection section) => AnswerQuote.Cut(section.Text.TrimStart('#', ' ').Replace('"', '\''), 53);
}

/// <summary>The candidate chosen by a model: the first letter in its answer that labels a candidate.</summary>
/// <param name="Index">Index of the candidate; the first one if the answer names none.</param>
/// <param name="IsUsable">Whether the answer names a candidate.</param>
internal readonly record struct ChoiceAnswer(int Index, bool IsUsable)
{
    public static ChoiceAnswer Read(string answer, int candidates)
    {
        int at = answer.AsSpan().IndexOfAny(CompositionPrompts.Letters.AsSpan(0, candidates));
        return at < 0 ? new ChoiceAnswer(0, false) : new ChoiceAnswer(answer[at] - CompositionPrompts.Letters[0], true);
    }
}

/// <summary>The model's probability of each candidate's letter, at the token that named the choice.</summary>
/// <param name="Values">For each candidate, 0 to 1; null if its letter was not among the likeliest tokens. Empty if the answer had no probabilities.</param>
internal sealed record LetterProbabilities(IReadOnlyList<float?> Values)
{
    /// <summary>Likeliest tokens to request for each place of the answer: the engine's maximum.</summary>
    public const int TokensPerPlace = 20;

    /// <param name="scores">Tokens of the answer with their likeliest alternatives.</param>
    /// <param name="candidates">Number of candidates.</param>
    /// <param name="textOf">Returns the text of a token.</param>
    public static LetterProbabilities Read(IReadOnlyList<TokenScore> scores, int candidates, Func<int, string> textOf)
    {
        if (scores.Count == 0)
            return new LetterProbabilities([]);
        string letters = CompositionPrompts.Letters[..candidates];
        // An answer without a letter is judged by its first token.
        TokenScore choice = scores.FirstOrDefault(score => textOf(score.Id).AsSpan().IndexOfAny(letters) >= 0) ?? scores[0];
        float?[] values = new float?[candidates];
        foreach (TokenAlternative token in choice.Top.Append(new TokenAlternative(choice.Id, choice.LogProb)).DistinctBy(token => token.Id))
        {
            // "B" and " B" are different tokens of the same letter.
            string text = textOf(token.Id).Trim();
            if (text.Length == 1 && letters.IndexOf(text[0], StringComparison.Ordinal) is >= 0 and int index)
                values[index] = Math.Min(1, (values[index] ?? 0) + MathF.Exp(token.LogProb));
        }

        return new LetterProbabilities(values);
    }
}

/// <summary>Quotations of a model's answer in notes.</summary>
internal static class AnswerQuote
{
    private const int MaximumCharacters = 80;

    public static string Of(string answer) => Cut(ArticleText.Join(answer), MaximumCharacters);

    /// <summary>Truncates to this number of UTF-16 units without splitting a surrogate pair.</summary>
    public static string Cut(string text, int most)
    {
        if (text.Length <= most)
            return text;
        return text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)].TrimEnd();
    }
}
