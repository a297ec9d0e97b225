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
