using System.Text.Json;
using XComposer2.Native.Cli;
using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class EditCommandTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("xc2-edit").FullName;

    public EditCommandTests()
    {
        Article article = CompositionPictures.Article("one", "two", "three").WithFigure(1, CompositionPictures.Shown(0, 1, 2));
        ArticleFolder.Create(Folder, ArticleHistory.Begin(article), ArticleOutput.Standard);
    }

    private string Folder => Path.Combine(root, "article");

    private Article Current => ArticleFolder.Open(Folder).Current;

    public void Dispose() => Directory.Delete(root, recursive: true);

    private string[] Edit(params string[] more) => ["edit", "--article", Folder, .. more];

    [Theory]
    [InlineData("rewrite", "section 2 rewritten", "改写以下段落：two\n基于以下素材：a star", new[] { "one", "new", "three" })]
    [InlineData("expand", "section 2 expanded", "扩写以下段落：two\n基于以下素材：a star", new[] { "one", "new", "three" })]
    [InlineData("abbreviate", "section 2 abbreviated", "缩写以下段落：two", new[] { "one", "new", "three" })]
    [InlineData("insert-before", "new section 2", "在以下两段中插入一段。\n第一段：one\n第二段：two\n插入段的大纲：a star", new[] { "one", "new", "two", "three" })]
    [InlineData("insert-after", "new section 3", "在以下两段中插入一段。\n第一段：two\n第二段：three\n插入段的大纲：a star", new[] { "one", "two", "new", "three" })]
    public async Task Model_edits_a_section(string operation, string done, string prompt, string[] sections)
    {
        using CliHarness xc2 = new() { Composer = new ScriptedCompositionModel(_ => "new") };
        string[] instruction = operation == "abbreviate" ? [] : ["--instruction", "a star"];
        Assert.Equal(ExitCode.Done, await xc2.RunAsync(Edit(["--section", "2", "--op", operation, "--seed", "5", "--max-tokens", "99", .. instruction])));
        Assert.Equal(("new\n", $"editing\n{done}\n"), (xc2.Output, xc2.Error));
        Assert.Equal((prompt, 99), (xc2.Composer.Asked[0].Prompt.Text, xc2.Composer.Asked[0].Options.MaxTokens));
        Assert.Equal(sections, Current.Sections.Select(section => section.Text));
        Assert.Contains("new", File.ReadAllText(Path.Combine(Folder, "article.md")), StringComparison.Ordinal);
        Assert.Equal(["compose", $"{operation} 2"], ArticleFolder.Open(Folder).States.Select(state => state.Change));
    }

    [Fact]
    public async Task Texts_and_figures_change_without_a_model()
    {
        string picture = Path.Combine(root, "mine.png");
        File.WriteAllBytes(picture, CompositionPictures.Bytes(5));
        await Change("--section", "1", "--op", "set-text", "--instruction", "first");
        Assert.Equal("first", Current.Sections[0].Text);
        await Change("--section", "2", "--op", "choose-figure", "--candidate", "3");
        Assert.Equal("2.png", Current.Sections[1].Figure!.Picture!.Name);
        await Change("--section", "3", "--op", "replace-figure", "--image", picture, "--caption", "mine");
        Assert.Equal(("mine", "mine.png"), (Current.Sections[2].Figure!.Caption, Current.Sections[2].Figure!.Picture!.Name));
        await Change("--section", "2", "--op", "remove-figure");
        Assert.Null(Current.Sections[1].Figure);
        await Change("--section", "1", "--op", "remove-section");
        Assert.Equal(["two", "three"], Current.Sections.Select(section => section.Text));
        for (int i = 0; i < 5; i++)
            await Change("--op", "undo");
        Assert.Equal(["one", "two", "three"], Current.Sections.Select(section => section.Text));
        Assert.Equal("0.png", Current.Sections[1].Figure!.Picture!.Name);
        await Change("--op", "redo");
        Assert.Equal("first", Current.Sections[0].Text);

        async Task Change(params string[] args)
        {
            using CliHarness xc2 = new();
            Assert.Equal(ExitCode.Done, await xc2.RunAsync(Edit(args)));
            Assert.Null(xc2.LoadedWith);
        }
    }

    [Fact]
    public async Task Model_chooses_and_finds_figures()
    {
        string gallery = Path.Combine(root, "gallery");
        Directory.CreateDirectory(gallery);
        foreach (int index in (int[])[4, 5, 6])
            File.WriteAllBytes(Path.Combine(gallery, $"{index}.png"), CompositionPictures.Bytes(index));
        using (CliHarness xc2 = new() { Composer = ScriptedCompositionModel.Of("", "", choice: "C") })
            Assert.Equal(ExitCode.Done, await xc2.RunAsync(Edit("--section", "2", "--op", "choose-figure")));
        Assert.Equal("2.png", Current.Sections[1].Figure!.Picture!.Name);
        using (CliHarness xc2 = new() { Composer = ScriptedCompositionModel.Of("", "", choice: "A") })
            Assert.Equal(ExitCode.Done, await xc2.RunAsync(Edit("--section", "1", "--op", "find-figure", "--caption", "something blue", "--gallery", gallery)));
        Assert.Equal(("something blue", "gallery"), (Current.Sections[0].Figure!.Caption, Current.Sections[0].Figure!.Picture!.Source));
    }

    [Fact]
    public async Task Illustrate_replaces_all_figures()
    {
        string gallery = Path.Combine(root, "gallery");
        Directory.CreateDirectory(gallery);
        File.WriteAllBytes(Path.Combine(gallery, "red.png"), TestPicture.Png(255, 0, 0));
        using (CliHarness xc2 = new() { Composer = ScriptedCompositionModel.Of("", "<Seg2>", "something red\"") })
        {
            Assert.Equal(ExitCode.Done, await xc2.RunAsync(Edit("--op", "illustrate", "--figures", "1", "--gallery", gallery)));
            Assert.EndsWith("选择适合插入图像的1行", xc2.Composer.Asked[0].Prompt.Text, StringComparison.Ordinal);
        }

        Assert.Equal([2], Current.FigurePlaces());
        Assert.Equal("red.png", Current.Sections[2].Figure!.Picture!.Name);
        Assert.Equal(["compose", "illustrate"], ArticleFolder.Open(Folder).States.Select(state => state.Change));
        using CliHarness none = new();
        Assert.Equal(ExitCode.Usage, await none.RunAsync(Edit("--op", "illustrate")));
        Assert.StartsWith("xc2: --op illustrate needs --gallery or --picture-service: the article has no own pictures\n", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_operation_lists_the_article()
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync(Edit()));
        Assert.Equal("  1  one\n  2  two\n     [figure: shown; 0.png of shelf, 1 of 3]\n  3  three\nchanges: compose\n", xc2.Output);

        using CliHarness json = new();
        await json.RunAsync(Edit("--json"));
        using JsonDocument report = JsonDocument.Parse(json.Output);
        Assert.Equal(("compose", 0), (report.RootElement.GetProperty("changes")[0].GetString(), report.RootElement.GetProperty("current_change").GetInt32()));
    }

    [Theory]
    [InlineData("section: expected 1 to 3, found 4", "--section", "4", "--op", "remove-section")]
    [InlineData("candidate: expected 1 to 3, found 4", "--section", "2", "--op", "choose-figure", "--candidate", "4")]
    [InlineData("section 1 has no figure with candidates", "--section", "1", "--op", "choose-figure", "--candidate", "1")]
    [InlineData("section 1 has no figure with candidates", "--section", "1", "--op", "choose-figure")]
    [InlineData("there is no change to undo", "--op", "undo")]
    [InlineData("there is no change to redo", "--op", "redo")]
    public async Task Failed_edit_changes_nothing(string message, params string[] args)
    {
        byte[] before = File.ReadAllBytes(Path.Combine(Folder, "article.json"));
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync(Edit(args)));
        Assert.Equal($"xc2: {message}\n", xc2.Error);
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(Folder, "article.json")));
    }

    [Theory]
    [InlineData("--op is missing: rewrite, expand, abbreviate, insert-before, insert-after, set-text, remove-section, move-section, set-title, set-caption, illustrate, find-figure, choose-figure, replace-figure, remove-figure, undo, redo", "--section", "1")]
    [InlineData("--op rewrite needs --section", "--op", "rewrite")]
    [InlineData("--op undo does not take --section", "--op", "undo", "--section", "1")]
    [InlineData("--op insert-after needs --instruction", "--op", "insert-after", "--section", "1")]
    [InlineData("--op set-text needs --instruction", "--op", "set-text", "--section", "1")]
    [InlineData("--op abbreviate does not take --instruction", "--op", "abbreviate", "--section", "1", "--instruction", "x")]
    [InlineData("--op replace-figure needs --image", "--op", "replace-figure", "--section", "1")]
    [InlineData("--op rewrite does not take --image", "--op", "rewrite", "--section", "1", "--image", "x")]
    [InlineData("--op rewrite does not take --candidate", "--op", "rewrite", "--section", "1", "--candidate", "1")]
    [InlineData("--op rewrite does not take --caption", "--op", "rewrite", "--section", "1", "--caption", "x")]
    [InlineData("--op find-figure needs --gallery or --picture-service", "--op", "find-figure", "--section", "1")]
    [InlineData("--op rewrite does not take --gallery or --picture-service", "--op", "rewrite", "--section", "1", "--gallery", "/")]
    [InlineData("--op illustrate does not take --section", "--op", "illustrate", "--section", "1")]
    [InlineData("--op rewrite does not take --figures", "--op", "rewrite", "--section", "1", "--figures", "3")]
    [InlineData("--figures must be auto or an integer, 1 to 60, not '0'", "--op", "illustrate", "--figures", "0")]
    [InlineData("--section must be an integer, at least 1, not '0'", "--op", "rewrite", "--section", "0")]
    public async Task Wrong_usage_is_reported_before_any_file_is_read(string message, params string[] args)
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Usage, await xc2.RunAsync(["edit", "--article", "not-there", .. args]));
        Assert.Equal($"xc2: {message}\n{CliApplication.UsageOf(EditCommand.HelpPage)}\n", xc2.Error);
    }

    [Fact]
    public async Task Missing_article_is_a_one_line_error()
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync("edit", "--article", root));
        Assert.Equal($"xc2: {Path.Combine(root, "article.json")}: no such file\n", xc2.Error);
        using CliHarness none = new();
        Assert.Equal(ExitCode.Usage, await none.RunAsync("edit"));
        Assert.StartsWith("xc2: --article is missing: the folder of an article\n", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupted_edit_changes_nothing()
    {
        string[] before = Hashes();
        CliHarness? harness = null;
        using CliHarness xc2 = harness = new() { Composer = new ScriptedCompositionModel(_ => "a long answer") { OnPiece = piece => Assert.True(piece != 2 || harness!.Interrupts.Interrupt()), StopsAt = 2 } };
        Assert.Equal(ExitCode.Interrupted, await xc2.RunAsync(Edit("--section", "1", "--op", "rewrite")));
        Assert.Equal(before, Hashes());

        string[] Hashes() => [.. Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => file + Convert.ToHexString(File.ReadAllBytes(file)))];
    }

    [Fact]
    public async Task Reopening_between_edits_gives_the_same_files()
    {
        string other = Path.Combine(root, "other");
        ArticleHistory history = ArticleFolder.Open(Folder);
        await Run("--section", "1", "--op", "rewrite", "--seed", "3");
        await Run("--section", "2", "--op", "remove-figure");
        Article first = history.Current.WithText(0, "new");
        ArticleFolder.Create(other, history.Apply("rewrite 1", first).Apply("remove-figure 2", first.WithoutFigure(1)), ArticleOutput.Standard);
        foreach (string file in Directory.EnumerateFiles(other, "*", SearchOption.AllDirectories))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(Folder, Path.GetRelativePath(other, file))));
        Assert.Equal(Directory.GetFiles(other, "*", SearchOption.AllDirectories).Length, Directory.GetFiles(Folder, "*", SearchOption.AllDirectories).Length);

        async Task Run(params string[] args)
        {
            using CliHarness xc2 = new() { Composer = new ScriptedCompositionModel(_ => "new") };
            Assert.Equal(ExitCode.Done, await xc2.RunAsync(Edit(args)));
        }
    }
}
