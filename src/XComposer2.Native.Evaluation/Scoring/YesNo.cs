using System.Text;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Python;

namespace XComposer2.Native.Evaluation.Scoring;

/// <summary>Takes yes or no from an answer, by VLMEvalKit's rules.</summary>
internal static class YesNo
{
    public const string Unknown = "Unknown";

    private const string Marks = ";/[]\"{}()=+\\_-><@`,?!";

    /// <summary>The official code passes a flag where a count belongs, and so removes no more periods.</summary>
    private const int RemovedPeriods = 32;

    /// <summary>Yes, No, or Unknown where both or none of the words occur.</summary>
    public static string Extract(string answer)
    {
        List<string> words = PythonString.Split(RemovePunctuation(PythonString.Lower(answer)));
        bool yes = words.Contains("yes"), no = words.Contains("no");
        return yes == no ? Unknown : yes ? "Yes" : "No";
    }

    /// <summary>
    /// A mark beside a blank is deleted, as are all marks of a text with digit, comma, digit; others become blanks. Then periods that touch no digit go.
    /// </summary>
    public static string RemovePunctuation(string text)
    {
        bool deletes = HasCommaBetweenDigits(text);
        StringBuilder result = new(text);
        foreach (char mark in Marks)
        {
            string name = mark.ToString();
            bool deleted = deletes || text.Contains(name + " ", StringComparison.Ordinal) || text.Contains(" " + name, StringComparison.Ordinal);
            result.Replace(name, deleted ? "" : " ");
        }

        return RemovePeriods(result.ToString());
    }

    /// <summary>Each answered row: what was extracted, and whether that is the answer of the data set.</summary>
    public static List<ScoredAnswer> Score(AnswerSheet sheet)
    {
        List<ScoredAnswer> scored = new(sheet.Count);
        for (int i = 0; i < sheet.Count; i++)
        {
            string extracted = Extract(sheet.Predictions[i]);
            scored.Add(new(sheet.Index(i), sheet.Predictions[i], extracted, IsSame(extracted, sheet[i, "answer"]) ? 1 : 0));
        }

        return scored;
    }

    /// <summary>Whether a right answer of a data set is this one. The published files write Yes and No; other cases are taken too.</summary>
    public static bool IsSame(string extracted, string? right) => string.Equals(extracted, right, StringComparison.OrdinalIgnoreCase);

    private static bool HasCommaBetweenDigits(string text)
    {
        Rune[] runes = [.. text.EnumerateRunes()];
        for (int i = 1; i + 1 < runes.Length; i++)
            if (runes[i].Value == ',' && PythonString.Digit(runes[i - 1]) >= 0 && PythonString.Digit(runes[i + 1]) >= 0)
                return true;
        return false;
    }

    private static string RemovePeriods(string text)
    {
        StringBuilder result = new(text.Length);
        int removed = 0;
        Rune[] runes = [.. text.EnumerateRunes()];
        for (int i = 0; i < runes.Length; i++)
        {
            bool touchesDigit = (i > 0 && PythonString.Digit(runes[i - 1]) >= 0) || (i + 1 < runes.Length && PythonString.Digit(runes[i + 1]) >= 0);
            if (runes[i].Value == '.' && !touchesDigit && removed < RemovedPeriods)
                removed++;
            else
                result.Append(runes[i].ToString());
        }

        return result.ToString();
    }
}
