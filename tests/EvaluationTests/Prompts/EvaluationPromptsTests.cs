using XComposer2.Native.Evaluation.DataSets;
using XComposer2.Native.Evaluation.Frames;
using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.EvaluationTests;

/// <summary>Prompts and decoding of both sources, to the byte.</summary>
public sealed class EvaluationPromptsTests
{
    private const string U = "[UNUSED_TOKEN_146]user\n", E = "[UNUSED_TOKEN_145]\n", A = "[UNUSED_TOKEN_146]assistant\n";

    private const string VlmSystem = """
        [UNUSED_TOKEN_146]system

        You are an AI assistant whose name is InternLM-XComposer (浦语·灵笔).
        - InternLM-XComposer (浦语·灵笔) is a multi-modality conversational language model that is developed by
        Shanghai AI Laboratory (上海人工智能实验室). It is designed to be helpful, honest, and harmless.
        - InternLM-XComposer (浦语·灵笔) can understand and communicate fluently in the language
        chosen by the user such as English and 中文.
        - InternLM-XComposer (浦语·灵笔) is capable of comprehending and articulating responses effectively
        based on the provided image.
        [UNUSED_TOKEN_145]

        """;

    private static readonly string originalSystem = $"[UNUSED_TOKEN_146]system\n{SystemTexts.VisionLanguage}{E}";

    [Theory]
    [InlineData("MMBench_DEV_EN", "vlmevalkit", 5, 5)]
    [InlineData("MMBench_DEV_EN", "original", 5, 5)]
    [InlineData("SEEDBench_IMG", "original", 5, 5)]
    [InlineData("AI2D_TEST", "vlmevalkit", 5, 5)]
    [InlineData("AI2D_TEST", "original", 3, 500)]
    [InlineData("Q-Bench1_VAL", "vlmevalkit", 5, 5)]
    [InlineData("MMMU_DEV_VAL", "vlmevalkit", 5, 5)]
    public void Multiple_choice(string name, string protocol, int beams, int tokens)
    {
        EvaluationPrompt prompt = Prompt(name, protocol, ("question", "What is it?"), ("hint", ""), ("A", "a cat"), ("B", " two dogs "), ("C", ""), ("D", "x"), ("answer", "A"));
        Assert.Equal($"{U}Question: What is it?\nContext: N/A\nOptions: A. a cat B.  two dogs  D. x{E}{A}The answer is", prompt.Text);
        Assert.Equal((new Decoding(beams, tokens), false), (prompt.Decoding, prompt.PadsPicture));
    }

    [Fact]
    public void Multiple_choice_with_a_hint_and_options_as_pandas_reads_them()
    {
        EvaluationPrompt prompt = Prompt("MMBench_DEV_CN", Protocol.VlmEvalKit, ("question", "几个？"), ("hint", "提示\n二"), ("A", "007"), ("B", "None"));
        Assert.Equal($"{U}Question: 几个？\nContext: 提示\n二\nOptions: A. 7{E}{A}The answer is", prompt.Text);
    }

    [Fact]
    public void Q_Bench_of_the_original_keeps_the_blank_behind_the_last_option()
    {
        EvaluationPrompt prompt = Prompt("Q-Bench1_VAL", Protocol.Original, ("question", "Sharp?"), ("A", "Yes"), ("B", "No"));
        Assert.Equal($"{U}Question: Sharp?\nContext: N/A\nOptions: A. Yes B. No {E}{A}The answer is", prompt.Text);
        Assert.Equal(new Decoding(3, 500), prompt.Decoding);
    }

    [Fact]
    public void MMMU_of_the_original_has_bracketed_options_without_context()
    {
        EvaluationPrompt prompt = Prompt("MMMU_DEV_VAL", Protocol.Original, ("question", "<image 1> If so, what? <image 1>"), ("A", "$6"), ("B", "$7"), ("answer", "A"));
        Assert.Equal($"{U}Question: If so, what? \nOptions: (A) $6\n(B) $7\n{E}{A}The answer is", prompt.Text);
        Assert.Equal(new Decoding(3, 500), prompt.Decoding);
    }

    [Theory]
    [InlineData("vlmevalkit", "<image 1> How many?", 5, 5)]
    [InlineData("original", "How many?", 3, 500)]
    public void MMMU_without_options(string protocol, string asked, int beams, int tokens)
    {
        EvaluationPrompt prompt = Prompt("MMMU_DEV_VAL", protocol, ("question", "<image 1> How many?"), ("A", ""), ("B", ""), ("answer", "6"));
        Assert.Equal($"{U}Answer the question using a single word or phrase.{asked}{E}{A}", prompt.Text);
        Assert.Equal(new Decoding(beams, tokens), prompt.Decoding);
    }

    [Theory]
    [InlineData("vlmevalkit", 500)]
    [InlineData("original", 5)]
    public void MME_is_cut_before_its_request_and_padded(string protocol, int tokens)
    {
        EvaluationPrompt prompt = Prompt("MME", protocol, ("question", " Is it red?  Please answer yes or no."), ("image_path", "a"));
        Assert.Equal($"{U}Is it red? Answer this question briefly{E}{A}", prompt.Text);
        Assert.Equal((new Decoding(5, tokens), true), (prompt.Decoding, prompt.PadsPicture));
    }

    [Fact]
    public void POPE()
    {
        EvaluationPrompt vlm = Prompt("POPE", Protocol.VlmEvalKit, ("question", "Is it?")), original = Prompt("POPE", Protocol.Original, ("question", "Is it?"));
        Assert.Equal($"{VlmSystem}{U}Is it?Answer this question in detail.{E}{A}", vlm.Text);
        Assert.Equal($"{U}Answer the question using a single word or phrase.Is it?{E}{A}", original.Text);
        Assert.Equal((new Decoding(3, 500), new Decoding(3, 500)), (vlm.Decoding, original.Decoding));
    }

    [Fact]
    public void HallusionBench()
    {
        EvaluationPrompt vlm = Prompt("HallusionBench", Protocol.VlmEvalKit, ("question", "Is it?")), original = Prompt("HallusionBench", Protocol.Original, ("question", "Is it?"));
        Assert.Equal(new EvaluationPrompt($"{U}Answer the question using a single word or phrase.Is it?{E}{A}", new Decoding(3, 10), false), vlm);
        Assert.Equal(new EvaluationPrompt($"{U}Is it?{E}{A}", new Decoding(3, 500), true), original);
    }

    [Theory]
    [InlineData("vlmevalkit")]
    [InlineData("original")]
    public void ChartQA_and_MathVista(string protocol)
    {
        Assert.Equal(new EvaluationPrompt($"{U}Answer the question using a single word or phrase.How many?{E}{A}", new Decoding(3, 500), false), Prompt("ChartQA_TEST", protocol, ("question", "How many?")));
        Assert.Equal(new EvaluationPrompt($"{U}Hint: x\nQuestion: y{E}{A}", new Decoding(3, 500), false), Prompt("MathVista_MINI", protocol, ("question", "Hint: x\nQuestion: y")));
    }

    [Theory]
    [InlineData("MMVet")]
    [InlineData("LLaVABench")]
    [InlineData("CreationBench")]
    public void Detailed_answers_follow_the_system_text(string name)
    {
        Assert.Equal($"{VlmSystem}{U}Why?Answer this question in detail.{E}{A}", Prompt(name, Protocol.VlmEvalKit, ("question", "Why?")).Text);
        Assert.Equal($"{originalSystem}{U}Why?Answer this question in detail.{E}{A}", Prompt(name, Protocol.Original, ("question", "Why?")).Text);
    }

    private static EvaluationPrompt Prompt(string name, string protocol, params (string Column, string Cell)[] cells) => Prompt(name, ProtocolNames.Find(protocol)!.Value, cells);

    private static EvaluationPrompt Prompt(string name, Protocol protocol, params (string Column, string Cell)[] cells)
    {
        TextTable table = new(["index", .. cells.Select(cell => cell.Column)]);
        table.Add(["0", .. cells.Select(cell => cell.Cell)]);
        DataSetSample sample = new(0, "0", PicturePlacement.None, "", null);
        return new EvaluationPrompts(new DataSet { Benchmark = BenchmarkCatalog.Find(name), Path = "", Hash = "", Table = table, Samples = [sample], LeftOut = 0 }, protocol).Of(sample);
    }
}
