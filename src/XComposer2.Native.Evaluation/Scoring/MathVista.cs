using System.Globalization;
using System.Numerics;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Python;

namespace XComposer2.Native.Evaluation.Scoring;

/// <summary>What the rules alone take from an answer of MathVista.</summary>
/// <param name="Value">A letter or a number in Python's writing; null where the rules find nothing.</param>
/// <param name="Succeeds">Whether no judge is asked. A right 0 is asked for nevertheless: Python takes it for false.</param>
internal readonly record struct MathPrefetch(string? Value, bool Succeeds);

/// <summary>One answer of MathVista after extraction.</summary>
/// <param name="Index">The index of the sample.</param>
/// <param name="Prefetch">What the rules alone take from the answer.</param>
/// <param name="Result">The extracted text; empty where the judge failed.</param>
/// <param name="LoadedResult">The same after the way through a file; null is a missing value.</param>
/// <param name="Hit">Whether it is the right answer.</param>
internal readonly record struct MathResult(string Index, MathPrefetch Prefetch, string Result, string? LoadedResult, bool Hit);

/// <summary>Scores MathVista by VLMEvalKit's rules: by the answer itself where it is plain, else by what a judge extracts from it.</summary>
internal static class MathVista
{
    /// <summary>A judge's text with this counts as no reply.</summary>
    public const string FailedRequest = "Failed to obtain answer via API.";

    private const string NoValue = "None";

    /// <summary>The rules before any judge.</summary>
    public static MathPrefetch Prefetch(AnswerSheet sheet, int row)
    {
        string response = sheet.Predictions[row];
        if (sheet[row, "question_type"] == "multi_choice")
        {
            string? letter = OptionInference.Infer(response, Choices(sheet, row));
            return new MathPrefetch(letter, letter is not null);
        }

        string? value = FreeForm(sheet, row, response, isNumber: false);
        return new MathPrefetch(value, value is not (null or "0" or "0.0" or "-0.0"));
    }

    /// <summary>Each answered row with the judge's extraction.</summary>
    /// <param name="sheet">The answers.</param>
    /// <param name="judge">The judge's text for a row, asked only where the rules find nothing; null or a text with <see cref="FailedRequest"/> where it failed.</param>
    /// <param name="file">The way of the results to the scorer.</param>
    public static List<MathResult> Score(AnswerSheet sheet, Func<int, string?> judge, AnswerFile file)
    {
        MathPrefetch[] prefetched = [.. Enumerable.Range(0, sheet.Count).Select(row => Prefetch(sheet, row))];
        string[] results = [.. prefetched.Select((prefetch, row) => prefetch.Succeeds ? prefetch.Value! : Replied(judge(row)))];
        string?[] loaded = PandasColumn.Load(results, file == AnswerFile.None ? AnswerFile.Tsv : file);
        bool areNumbers = loaded.OfType<string>().Any() && loaded.OfType<string>().All(text => PythonNumber.TryFloat(text, out _));
        return [.. Enumerable.Range(0, sheet.Count).Select(row =>
            new MathResult(sheet.Index(row), prefetched[row], results[row], loaded[row], IsHit(sheet, row, loaded[row] ?? "nan", areNumbers)))];
    }

    /// <summary>Counts and percents over all, by task and by skill.</summary>
    public static ScoreTable Table(AnswerSheet sheet, IReadOnlyList<MathResult> results)
    {
        OrderedDictionary<string, (int Total, int Prefetched, int Hits)> groups = [];
        for (int row = 0; row < results.Count; row++)
        {
            string skills = sheet[row, "skills"] ?? "nan";
            foreach (string group in (List<string>)["Overall", .. PythonLiteral.TryList(skills) ?? [skills], sheet[row, "task"] ?? "nan"])
            {
                (int total, int prefetched, int hits) = groups.TryGetValue(group, out var known) ? known : default;
                groups[group] = (total + 1, prefetched + (results[row].Prefetch.Succeeds ? 1 : 0), hits + (results[row].Hit ? 1 : 0));
            }
        }

        return new ScoreTable([.. groups.Select(group => new ScoreRowBuilder(group.Key).Set("tot", group.Value.Total).Set("prefetch", group.Value.Prefetched).Set("hit", group.Value.Hits)
            .Set("prefetch_rate", (double)group.Value.Prefetched / group.Value.Total * 100).Set("acc", (double)group.Value.Hits / group.Value.Total * 100).Build())]);
    }

    /// <summary>The original repository: what it takes from an answer without a judge, or null where it asks one.</summary>
    public static string? OriginalExtraction(AnswerSheet sheet, int row)
    {
        string response = ModelText.CutAndStrip(sheet.RawPredictions[row]);
        if (response.Length == 0)
            return "";
        if (sheet.Raw(row, "question_type") == "multi_choice" && (PythonLiteral.TryList(sheet.Raw(row, "choices")) ?? []).Contains(response))
            return response;
        string type = sheet.Raw(row, "answer_type");
        if (type == "integer" && PythonNumber.TryInteger(response, out BigInteger integer))
            return integer.ToString(CultureInfo.InvariantCulture);
        return type == "float" && PythonNumber.TryFloat(response, out double number) ? PythonNumber.Repr(number) : null;
    }

    private static string Replied(string? judgement) => judgement is null || judgement.Contains(FailedRequest, StringComparison.Ordinal) ? "" : judgement;

    private static bool IsHit(AnswerSheet sheet, int row, string result, bool isNumber) => sheet[row, "question_type"] == "multi_choice"
        ? OptionInference.Infer(result, Choices(sheet, row)) is { } letter && letter == sheet[row, "answer_option"]
        : FreeForm(sheet, row, result, isNumber) is not null;

    /// <summary>The value that equals the right answer, or null. Of texts and lists the official code loses the value: only the answer "None" equals it.</summary>
    private static string? FreeForm(AnswerSheet sheet, int row, string response, bool isNumber)
    {
        string answer = sheet[row, "answer"] ?? "nan";
        switch (sheet[row, "answer_type"])
        {
            case "integer":
                return TryInteger(response, isNumber, out BigInteger integer) && TryInteger(answer, false, out BigInteger right) && integer == right
                    ? integer.ToString(CultureInfo.InvariantCulture) : null;
            case "float":
                return PythonNumber.TryFloat(response, out double number) && PythonNumber.TryFloat(answer, out double rightNumber) && number == rightNumber ? PythonNumber.Repr(number) : null;
            default:
                return answer == NoValue ? NoValue : null;
        }
    }

    /// <summary>int() of a text, or of a number that pandas has read.</summary>
    private static bool TryInteger(string text, bool isNumber, out BigInteger value)
    {
        if (PythonNumber.TryInteger(text, out value))
            return true;
        if (!isNumber || !PythonNumber.TryFloat(text, out double number) || !double.IsFinite(number))
            return false;
        value = new BigInteger(Math.Truncate(number));
        return true;
    }

    private static List<KeyValuePair<string, string>> Choices(AnswerSheet sheet, int row) =>
        [.. (PythonLiteral.TryList(sheet[row, "choices"] ?? "") ?? []).Take(26).Select((text, i) => new KeyValuePair<string, string>(((char)('A' + i)).ToString(), text))];
}
