using XComposer2.Native.Evaluation.Python;

namespace XComposer2.Native.Evaluation.Scoring;

/// <summary>Finds the option that a free answer means, without a judge, by VLMEvalKit's rules.</summary>
internal static class OptionInference
{
    /// <summary>The mark of an answer that means no option.</summary>
    public const string NoOption = "Z";

    private const string FailedRequest = "Failed to obtain answer via API";

    /// <summary>Letters count only among the last words.</summary>
    private const int LastWords = 5;

    private static readonly string[] refusals =
    [
        "Sorry, I can't help with images of people yet.", "I can't process this file.", "I'm sorry, but without the image provided", "Cannot determine the answer",
    ];

    private static readonly System.Buffers.SearchValues<char> separators = System.Buffers.SearchValues.Create(".()[],:;!*#{}");

    /// <summary>The letter, <see cref="NoOption"/> for a refusal, or null where the rules find nothing.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="options">Letters with their texts, in the order of the letters.</param>
    public static string? Infer(string answer, IReadOnlyList<KeyValuePair<string, string>> options) => InferLetter(answer, options) ?? InferText(answer, options);

    /// <summary>By a letter that stands alone, or after "answer is".</summary>
    public static string? InferLetter(string answer, IReadOnlyList<KeyValuePair<string, string>> options)
    {
        if (answer.Contains(FailedRequest, StringComparison.Ordinal))
            return null;
        if (refusals.Any(refusal => answer.Contains(refusal, StringComparison.Ordinal)))
            return NoOption;
        List<string> words = PythonString.Split(string.Create(answer.Length, answer, static (span, text) =>
        {
            for (int i = 0; i < span.Length; i++)
                span[i] = separators.Contains(text[i]) ? ' ' : text[i];
        }));
        string[] found = [.. options.Select(option => option.Key).Where(words.Contains)];
        if (found.Length == 1)
        {
            if (words.IndexOf(found[0]) > words.Count - LastWords)
                return found[0];
        }
        else if (found.Length == 0 && words.Contains(NoOption))
        {
            return NoOption;
        }

        return LetterAfterAnswerIs(answer) is { } letter && options.Any(option => option.Key == letter) ? letter : null;
    }

    /// <summary>By the text of exactly one option within a short answer.</summary>
    public static string? InferText(string answer, IReadOnlyList<KeyValuePair<string, string>> options)
    {
        string lower = PythonString.Lower(answer);
        if (PythonString.Length(lower) > 2 * options.Sum(option => PythonString.Length(option.Value)))
            return null;
        string[] found = [.. options.Where(option => lower.Contains(PythonString.Lower(option.Value), StringComparison.Ordinal)).Select(option => option.Key)];
        return found.Length == 1 ? found[0] : null;
    }

    /// <summary>
    /// The first A to D, in any case, that begins a word after "answer is" and asterisks: "is clearly" gives C. Python compares letters here without case in the
    /// full sense: ſ is an s, ı and İ are an i.
    /// </summary>
    private static string? LetterAfterAnswerIs(string answer)
    {
        for (int start = 0; start < answer.Length; start++)
        {
            int at = Match(answer, start, "answer");
            int blank = at < 0 ? -1 : Blanks(answer, at);
            at = blank < 0 ? -1 : Match(answer, blank, "is");
            at = at < 0 ? -1 : Blanks(answer, at);
            if (at < 0)
                continue;
            while (at < answer.Length && answer[at] == '*')
                at++;
            if (at < answer.Length && answer[at] is (>= 'A' and <= 'D') or (>= 'a' and <= 'd'))
                return answer[at].ToString().ToUpperInvariant();
        }

        return null;
    }

    private static int Match(string text, int at, string word)
    {
        if (at + word.Length > text.Length)
            return -1;
        for (int i = 0; i < word.Length; i++)
        {
            char c = text[at + i];
            bool same = char.ToLowerInvariant(c) == word[i] || (word[i] == 's' && c == 'ſ') || (word[i] == 'i' && c is 'ı' or 'İ');
            if (!same)
                return -1;
        }

        return at + word.Length;
    }

    /// <summary>The end of at least one blank, or -1.</summary>
    private static int Blanks(string text, int at)
    {
        int end = at;
        while (end < text.Length && PythonString.IsBlank(text[end]))
            end++;
        return end > at ? end : -1;
    }
}
