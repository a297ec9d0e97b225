using XComposer2.Native.Cli;
using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The outline that a person confirms or changes before the text is written.</summary>
public sealed class OutlineTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("xc2-outline").FullName;

    private string Folder => Path.Combine(root, "made");

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static ScriptedCompositionModel Model()
    {
        int outlines = 0;
        return new ScriptedCompositionModel(prompt => prompt.Text.Contains("Write the outline", StringComparison.Ordinal) ? $"1. **the shapes**\n- colours {++outlines}\n\n3) the end" : "Text.");
    }

    private async Task<(int Exit, string Error, ScriptedCompositionModel Model)> ComposeAsync(string input, params string[] more)
    {
        using CliHarness xc2 = new() { Composer = Model(), Input = input };
        int exit = await xc2.RunAsync(["compose", "--title", "the park", "--outline", "ask", "--out", Folder, "--seed", "4", .. more]);
        return (exit, xc2.Error, xc2.Composer);
    }

    [Fact]
    public async Task Confirmed_outline_becomes_part_of_the_instruction()
    {
        string material = Path.Combine(root, "material.txt");
        File.WriteAllText(material, "It is green.");
        (int exit, string error, ScriptedCompositionModel model) = await ComposeAsync("\n", "--material", material);
        Assert.Equal(ExitCode.Done, exit);
        Assert.Equal("Write the outline of an article with the title \"the park\", one point per line. Use this material: It is green.", model.Asked[0].Prompt.Text);
        Assert.Contains("the shapes; colours 1; the end", model.Asked[1].Prompt.Text, StringComparison.Ordinal);
        Assert.Contains("It is green.", model.Asked[1].Prompt.Text, StringComparison.Ordinal);
        Assert.StartsWith("  1. the shapes\n  2. colours 1\n  3. the end\n", error, StringComparison.Ordinal);
        Assert.Equal(model.Asked[1].Prompt.Text, ArticleFolder.Open(Folder).Current.Instruction);
    }

    [Fact]
    public async Task Outline_can_be_changed_in_every_way()
    {
        (int exit, string error, ScriptedCompositionModel model) = await ComposeAsync("again\n2 lights\n1 -\n+ a walk\n9 x\nnonsense\n+\n\n");
        Assert.Equal(ExitCode.Done, exit);
        Assert.Equal(3, model.Asked.Count);
        Assert.NotEqual(model.Asked[0].Options.Seed, model.Asked[1].Options.Seed);
        Assert.Contains("lights; the end; a walk", model.Asked[2].Prompt.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("shapes", model.Asked[2].Prompt.Text, StringComparison.Ordinal);
        Assert.Contains("point: expected 1 to 3, found 9\n", error, StringComparison.Ordinal);
        Assert.Contains("+ needs a text\n", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stop\n")]
    [InlineData("")]
    [InlineData("2 lights\n")]
    public async Task Without_confirmation_nothing_is_written(string input)
    {
        (int exit, string error, ScriptedCompositionModel model) = await ComposeAsync(input);
        Assert.Equal(ExitCode.Failed, exit);
        Assert.EndsWith("Stopped: no article was written.\n", error, StringComparison.Ordinal);
        Assert.Single(model.Asked);
        Assert.False(Directory.Exists(Folder));
    }

    [Fact]
    public async Task Outline_of_a_file_is_read_before_a_model_is_loaded()
    {
        using CliHarness xc2 = new();
        string file = Path.Combine(root, "none.txt");
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync("compose", "--title", "x", "--outline", file, "--out", Folder));
        Assert.Equal(($"xc2: {file}: no such file\n", true), (xc2.Error, xc2.LoadedWith is null));
        using CliHarness both = new();
        Assert.Equal(ExitCode.Usage, await both.RunAsync("compose", "--title", "x", "--outline", "ask", "--image", "-"));
        Assert.StartsWith("xc2: --outline ask and --image - both read standard input\n", both.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chinese_title_gives_a_chinese_outline_prompt()
    {
        ScriptedCompositionModel model = new(_ => "一、墨\n二、纸\n");
        using ArticleComposer composer = new(model, null);
        Assert.Equal(["墨", "纸"], await composer.OutlineAsync("中国水墨画", [], 1, TestContext.Current.CancellationToken));
        Assert.Equal("根据以下标题：“中国水墨画”，列出文章大纲，每行一个要点。", model.Asked[0].Prompt.Text);
        using ArticleComposer empty = new(new ScriptedCompositionModel(_ => " \n"), null);
        Assert.Equal("the model returned no outline; another seed may help", (await Assert.ThrowsAsync<EngineException>(() => empty.OutlineAsync("x", [], 1, TestContext.Current.CancellationToken))).Message);
    }
}
