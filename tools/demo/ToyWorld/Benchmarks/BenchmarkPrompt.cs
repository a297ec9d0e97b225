using XComposer2.Native.Evaluation;
using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Prompts;

namespace XComposer2.Demo.Benchmarks;

/// <summary>A prompt of an evaluation in its parts.</summary>
/// <param name="System">Text of the system turn; empty for none.</param>
/// <param name="Question">What the user says.</param>
/// <param name="AnswerPrefix">The given beginning of the answer.</param>
internal sealed record BenchmarkPrompt(string System, string Question, string AnswerPrefix)
{
    private const string SystemStart = "[UNUSED_TOKEN_146]system\n", UserStart = "[UNUSED_TOKEN_146]user\n", End = "[UNUSED_TOKEN_145]\n", AnswerStart = "[UNUSED_TOKEN_146]assistant\n";

    /// <summary>What the evaluation asks for a row of a data set: its own code writes the prompt.</summary>
    /// <param name="benchmark">The data set's name.</param>
    /// <param name="protocol">Whose prompts.</param>
    /// <param name="cells">Columns and their cells.</param>
    public static BenchmarkPrompt Of(string benchmark, Protocol protocol, params ReadOnlySpan<(string Column, string Cell)> cells)
    {
        List<string> header = ["index"], row = ["1"];
        foreach ((string column, string cell) in cells)
        {
            header.Add(column);
            row.Add(cell);
        }

        TextTable table = new(header);
        table.Add([.. row]);
        DataSetSample sample = new(0, "1", PicturePlacement.None, "", null);
        DataSet dataSet = new() { Benchmark = BenchmarkCatalog.Find(benchmark), Path = "", Hash = "", Table = table, Samples = [sample], LeftOut = 0 };
        return Parse(new EvaluationPrompts(dataSet, protocol).Of(sample).Text);
    }

    private static BenchmarkPrompt Parse(string text)
    {
        string system = "";
        if (text.StartsWith(SystemStart, StringComparison.Ordinal))
        {
            int end = text.IndexOf(End, StringComparison.Ordinal);
            system = text[SystemStart.Length..end];
            text = text[(end + End.Length)..];
        }

        int answer = text.IndexOf(End + AnswerStart, StringComparison.Ordinal);
        if (!text.StartsWith(UserStart, StringComparison.Ordinal) || answer < 0)
            throw new EvaluationException($"expected a turn of the user and the beginning of an answer, found '{text}'");
        return new BenchmarkPrompt(system, text[UserStart.Length..answer], text[(answer + End.Length + AnswerStart.Length)..]);
    }
}
