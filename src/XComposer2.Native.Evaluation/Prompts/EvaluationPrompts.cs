using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Python;
using XComposer2.Native.Model;

namespace XComposer2.Native.Evaluation.Prompts;

/// <summary>The prompts of both sources, to the byte. The table in this project's README lists them.</summary>
internal sealed class EvaluationPrompts
{
    private const string User = "[UNUSED_TOKEN_146]user\n", End = "[UNUSED_TOKEN_145]\n", Assistant = "[UNUSED_TOKEN_146]assistant\n", SystemTurn = "[UNUSED_TOKEN_146]system\n";
    private const string Brief = "Answer the question using a single word or phrase.", InDetail = "Answer this question in detail.";

    /// <summary>VLMEvalKit's system text: that of chat(), wrapped by hand, with a line end before and after it.</summary>
    private const string WrappedSystem =
        "\nYou are an AI assistant whose name is InternLM-XComposer (浦语·灵笔).\n" +
        "- InternLM-XComposer (浦语·灵笔) is a multi-modality conversational language model that is developed by\n" +
        "Shanghai AI Laboratory (上海人工智能实验室). It is designed to be helpful, honest, and harmless.\n" +
        "- InternLM-XComposer (浦语·灵笔) can understand and communicate fluently in the language\n" +
        "chosen by the user such as English and 中文.\n" +
        "- InternLM-XComposer (浦语·灵笔) is capable of comprehending and articulating responses effectively\n" +
        "based on the provided image.\n";

    private static readonly Decoding letter = new(5, 5), free = new(3, 500), wide = new(5, 500), shortAnswer = new(3, 10);

    private readonly DataSet dataSet;
    private readonly Protocol protocol;
    private readonly string?[][] options;
    private readonly string?[] hints;

    public EvaluationPrompts(DataSet dataSet, Protocol protocol)
    {
        this.dataSet = dataSet;
        this.protocol = protocol;
        options = [.. Enumerable.Range('A', 26).Select(letter => ((char)letter).ToString()).Where(dataSet.Table.Has).Select(Loaded)];
        hints = dataSet.Table.Has("hint") ? Loaded("hint") : new string?[dataSet.Table.Count];
    }

    /// <summary>What is asked for a sample.</summary>
    public EvaluationPrompt Of(DataSetSample sample)
    {
        string question = dataSet.Table[sample.TableRow, "question"];
        bool original = protocol == Protocol.Original;
        switch (dataSet.Benchmark.Kind)
        {
            case BenchmarkKind.MultipleChoice or BenchmarkKind.Circular:
                return Choice(question, sample.TableRow);
            case BenchmarkKind.Mmmu when !Options(sample.TableRow).Any():
                return new EvaluationPrompt(Turn(Brief + (original ? WithoutImageMark(question) : question)), original ? free : letter, false);
            case BenchmarkKind.Mmmu:
                return original ? OriginalMmmu(question, sample.TableRow) : Choice(question, sample.TableRow);
            case BenchmarkKind.Mme:
                string asked = PythonString.Strip(question.Split("Please answer")[0]);
                return new EvaluationPrompt(Turn($"{asked} Answer this question briefly"), original ? letter : wide, true);
            case BenchmarkKind.Pope:
                return original ? new EvaluationPrompt(Turn(Brief + question), free, false) : InDetailAfterSystem(question);
            case BenchmarkKind.Hallusion:
                return original ? new EvaluationPrompt(Turn(question), free, true) : new EvaluationPrompt(Turn(Brief + question), shortAnswer, false);
            case BenchmarkKind.Chart:
                return new EvaluationPrompt(Turn(Brief + question), free, false);
            case BenchmarkKind.MathVista:
                return new EvaluationPrompt(Turn(question), free, false);
            default:
                return InDetailAfterSystem(question);
        }
    }

    private static string Turn(string text) => User + text + End + Assistant;

    /// <summary>The file of the original repository has the questions without the mark of their first picture.</summary>
    private static string WithoutImageMark(string question) =>
        question.Replace("<image 1> ", "", StringComparison.Ordinal).Replace("<image 1>", "", StringComparison.Ordinal);

    private EvaluationPrompt Choice(string question, int row)
    {
        // Q-Bench's notebook leaves the blank behind the last option, all others strip it.
        bool keepsBlank = protocol == Protocol.Original && dataSet.Benchmark.Name.StartsWith("Q-Bench", StringComparison.Ordinal);
        string listed = string.Concat(Options(row).Select(option => $"{option.Letter}. {option.Text} "));
        string prompt = User + "Question: " + question + "\nContext: " + (hints[row] ?? "N/A") + "\nOptions: " + (keepsBlank ? listed : PythonString.Strip(listed)) + End + Assistant + "The answer is";
        bool isNotebook = protocol == Protocol.Original && (keepsBlank || dataSet.Benchmark.Name.StartsWith("AI2D", StringComparison.Ordinal));
        return new EvaluationPrompt(prompt, isNotebook ? free : letter, false);
    }

    private EvaluationPrompt OriginalMmmu(string question, int row)
    {
        string listed = string.Concat(Options(row).Select(option => $"({option.Letter}) {option.Text}\n"));
        return new EvaluationPrompt(User + "Question: " + WithoutImageMark(question) + "\nOptions: " + listed + End + Assistant + "The answer is", free, false);
    }

    private EvaluationPrompt InDetailAfterSystem(string question)
    {
        string system = protocol == Protocol.Original ? SystemTexts.VisionLanguage : WrappedSystem;
        return new EvaluationPrompt(SystemTurn + system + End + Turn(question + InDetail), free, false);
    }

    private IEnumerable<(char Letter, string Text)> Options(int row)
    {
        int at = 0;
        for (char option = 'A'; option <= 'Z'; option++)
            if (dataSet.Table.Has(option.ToString()) && options[at++][row] is { } text)
                yield return (option, text);
    }

    private string?[] Loaded(string column) => PandasColumn.OfDataSet(dataSet.Table.Column(column), AnswerFile.Tsv);
}
