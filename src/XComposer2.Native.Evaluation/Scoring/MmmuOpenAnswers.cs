using System.Text;
using System.Text.RegularExpressions;
using XComposer2.Native.Evaluation.Python;

namespace XComposer2.Native.Evaluation.Scoring;

/// <summary>A number or a text that an open answer of MMMU may mean.</summary>
internal readonly record struct OpenAnswer(double? Number, string Text)
{
    public static OpenAnswer Of(double number) => new(number, "");

    public static OpenAnswer Of(string text) => new(null, text);
}

/// <summary>Open answers of MMMU by the rules of the original repository: numbers and key phrases, compared with the right answers.</summary>
internal static partial class MmmuOpenAnswers
{
    private static readonly string[] indicators = ["could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result "];
    private static readonly string[] trivial = [":", ",", ".", "!", "?", ";", "'"];

    /// <summary>What a response may mean: its key phrases, and the numbers in them.</summary>
    public static List<OpenAnswer> Parse(string response)
    {
        List<string> phrases = KeyPhrases(response);
        List<OpenAnswer> parsed = [];
        foreach (string phrase in (List<string>)[.. phrases, .. phrases.SelectMany(Numbers)])
            foreach (OpenAnswer answer in Normalize(phrase))
                if (!parsed.Contains(answer))
                    parsed.Add(answer);
        return parsed;
    }

    /// <summary>Whether a parsed response holds one of the right answers: numbers must be equal, a right text may stand anywhere in a text.</summary>
    /// <param name="right">The text of the data set: one answer, or a Python list of them.</param>
    /// <param name="parsed">What <see cref="Parse"/> gave.</param>
    public static bool IsRight(string right, IReadOnlyList<OpenAnswer> parsed)
    {
        OpenAnswer[] expected = [.. (PythonLiteral.TryList(right) ?? [right]).SelectMany(Normalize)];
        return parsed.Any(answer => answer.Number is { } number
            ? expected.Any(each => each.Number == number)
            : expected.Any(each => each.Number is null && answer.Text.Contains(each.Text, StringComparison.Ordinal)));
    }

    private static List<string> KeyPhrases(string response)
    {
        string lower = PythonString.Lower(PythonString.Strip(response).Trim('.'));
        // The original splits sentences at capital letters, of which a lower-cased text has none: lines remain.
        string[] parts = lower.Split('\n');
        List<string> phrases = [];
        for (int i = 0; i < parts.Length; i++)
        {
            string? shortest = null;
            foreach (string indicator in i == parts.Length - 1 ? [.. indicators, "="] : indicators)
            {
                if (!parts[i].Contains(indicator, StringComparison.Ordinal))
                    continue;
                string rest = PythonString.Strip(parts[i][(parts[i].LastIndexOf(indicator, StringComparison.Ordinal) + indicator.Length)..]);
                // An empty rest counts as none found yet, as in Python.
                if (string.IsNullOrEmpty(shortest) || PythonString.Length(rest) < PythonString.Length(shortest))
                    shortest = rest;
            }

            if (!string.IsNullOrEmpty(shortest) && !trivial.Contains(shortest))
                phrases.Add(shortest);
        }

        return phrases.Count > 0 ? phrases : [lower];
    }

    private static OpenAnswer[] Normalize(string text)
    {
        string stripped = PythonString.Strip(text);
        if (PythonNumber.TryFloat(stripped.Replace(",", "", StringComparison.Ordinal), out double number))
            return [OpenAnswer.Of(PythonNumber.RoundToHundredths(number))];
        string lower = PythonString.Lower(stripped);
        return PythonString.Length(lower) == 1 ? [OpenAnswer.Of(" " + lower), OpenAnswer.Of(lower + " ")] : [OpenAnswer.Of(lower)];
    }

    private static IEnumerable<string> Numbers(string phrase)
    {
        string plain = BasicPlane(phrase);
        return WithCommas().Matches(plain).Concat(Scientific().Matches(plain)).Concat(Simple().Matches(plain)).Select(match => match.Value);
    }

    /// <summary>Characters outside of the basic plane as others of their kind, so that the patterns see one unit for each.</summary>
    private static string BasicPlane(string text)
    {
        StringBuilder plain = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            int digit = PythonString.Digit(rune);
            plain.Append(rune.IsBmp ? (char)rune.Value : digit >= 0 ? (char)('0' + digit) : PythonString.IsWordCharacter(rune) ? 'x' : '\uFFFD');
        }

        return plain.ToString();
    }

    // Python's \b takes letters, numbers and the underscore for words, .NET's has others.
    [GeneratedRegex(@"-?(?<![\p{L}\p{N}_])\d{1,3}(?:,\d{3})+(?![\p{L}\p{N}_])", RegexOptions.CultureInvariant)]
    private static partial Regex WithCommas();

    [GeneratedRegex(@"-?\d+(?:\.\d+)?[eE][+-]?\d+", RegexOptions.CultureInvariant)]
    private static partial Regex Scientific();

    [GeneratedRegex(@"-?(?:\d+\.\d+|\.\d+|\d+(?![\p{L}\p{N}_]))(?![eE][+-]?\d+)(?![,\d])", RegexOptions.CultureInvariant)]
    private static partial Regex Simple();
}
