using XComposer2.Native.Cli;
using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Edits without the model: title, caption, moved sections, Markdown; and what they report.</summary>
public sealed class ArticleTextEditTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("xc2-text-edit").FullName;

    public ArticleTextEditTests() => ArticleFolder.Create(Folder, ArticleHistory.Begin(CompositionPictures.Article("one", "two", "three").WithFigure(1, CompositionPictures.Shown(0, 1, 2))), ArticleOutput.Standard);

    private string Folder => Path.Combine(root, "article");

    private Article Current => ArticleFolder.Open(Folder).Current;

    public void Dispose() => Directory.Delete(root, recursive: true);

    private async Task<string> EditAsync(params string[] args)
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync(["edit", "--article", Folder, .. args]));
        Assert.Null(xc2.LoadedWith);
        return xc2.Error;
    }

    [Fact]
    public async Task Title_changes_and_can_be_undone()
    {
        Assert.Equal("title: The park\n", await EditAsync("--op", "set-title", "--title", "The park"));
        Assert.Contains("<h1>The park</h1>", File.ReadAllText(Path.Combine(Folder, "article.html")), StringComparison.Ordinal);
        Assert.Equal("title removed\n", await EditAsync("--op", "set-title", "--title", ""));
        Assert.Equal("", Current.Title);
        Assert.Equal("undone: set-title\n", await EditAsync("--op", "undo"));
        Assert.Equal("The park", Current.Title);
        await EditAsync("--op", "undo");
        Assert.Equal("", Current.Title);
        Assert.Equal("redone: set-title\n", await EditAsync("--op", "redo"));
        Assert.Equal("The park", Current.Title);
    }

    [Theory]
    [InlineData("", "# Old", "# New")]
    [InlineData("Old", "## Old", "## New")]
    [InlineData("Other", "# Old", "# Old")]
    [InlineData("", "Old", "Old")]
    public void Heading_that_serves_as_the_title_is_changed_too(string title, string heading, string changed)
    {
        Article after = (CompositionPictures.Article(heading, "text") with { Title = title }).WithTitle("New");
        Assert.Equal(("New", changed), (after.Title, after.Sections[0].Text));
    }

    [Fact]
    public async Task Caption_and_alternative_text_change_without_the_picture()
    {
        Assert.Equal("figure after section 2: a star\n", await EditAsync("--section", "2", "--op", "set-caption", "--caption", "a star"));
        Assert.Equal("figure after section 2: a star; alternative text: a red star\n", await EditAsync("--section", "2", "--op", "set-caption", "--alt", "a red\nstar"));
        ArticleFigure figure = Current.Sections[1].Figure!;
        Assert.Equal(("a star", "a red star", "0.png"), (figure.Caption, figure.AlternativeText, figure.Picture!.Name));
        Assert.Contains("<img alt=\"a red star\"", File.ReadAllText(Path.Combine(Folder, "article.html")), StringComparison.Ordinal);
        Assert.Contains("![a red star](pictures/", File.ReadAllText(Path.Combine(Folder, "article.md")), StringComparison.Ordinal);

        // The alternative text described the other picture.
        await EditAsync("--section", "2", "--op", "choose-figure", "--candidate", "2");
        Assert.Equal(("a star", ""), (Current.Sections[1].Figure!.Caption, Current.Sections[1].Figure!.AlternativeText));
    }

    [Fact]
    public async Task Model_writes_the_caption_of_a_figure()
    {
        using CliHarness xc2 = new() { Composer = new ScriptedCompositionModel(_ => "The image shows a red circle. It is") };
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("edit", "--article", Folder, "--section", "2", "--op", "set-caption"));
        Assert.EndsWith("figure after section 2: A red circle; alternative text: The image shows a red circle.\n", xc2.Error, StringComparison.Ordinal);
        Assert.Equal("0.png", Assert.Single(Assert.Single(xc2.Composer.Asked).Prompt.Pictures).Name);
    }

    [Theory]
    [InlineData("The image shows a red circle. It is round.", "A red circle")]
    [InlineData("This picture depicts a tower of 3.7 m!", "A tower of 3.7 m!")]
    [InlineData("图中有红色圆形。很大。", "红色圆形")]
    [InlineData("这张图片展示了一座山", "一座山")]
    [InlineData("A cat", "A cat")]
    public void Caption_is_the_first_sentence_of_a_description(string description, string caption) => Assert.Equal(caption, DescriptionStep.CaptionOf(description));

    [Fact]
    public async Task Section_moves_with_its_figure()
    {
        Assert.Equal("section 2 is now section 3\n", await EditAsync("--section", "2", "--op", "move-section", "--to", "3"));
        Assert.Equal(["one", "three", "two"], Current.Sections.Select(section => section.Text));
        Assert.Equal([2], Current.FigurePlaces());
        await EditAsync("--section", "3", "--op", "move-section", "--to", "1");
        Assert.Equal(["two", "one", "three"], Current.Sections.Select(section => section.Text));
    }

    [Fact]
    public async Task Set_text_keeps_headings_lists_and_paragraphs()
    {
        const string Markdown = """
            ## A *new* part

            A paragraph over
            two lines with **strong** text.
            - first
            - second
              continued
            1. one
            2. two

            Last.
            """;
        Assert.Equal("sections 2 to 8 replace section 2\n", await EditAsync("--section", "2", "--op", "set-text", "--instruction", Markdown));
        Assert.Equal(["one", "## A *new* part", "A paragraph over two lines with **strong** text.", "- first", "- second continued", "1. one", "2. two", "Last.", "three"], Current.Sections.Select(section => section.Text));
        Assert.Equal([7], Current.FigurePlaces());
        string text = File.ReadAllText(Path.Combine(Folder, "article.md"));
        Assert.Contains("## A *new* part\n\nA paragraph over two lines with **strong** text.\n\n- first\n- second continued\n\n1. one\n2. two\n\nLast.\n", text, StringComparison.Ordinal);

        // The Markdown of an article gives the same sections.
        Assert.Equal(Current.Sections.Where(section => section.Figure is null).Select(section => section.Text), MarkdownBlocks.Split(string.Join("\n\n", Current.Sections.Where(section => section.Figure is null).Select(section => section.Text))));
    }

    [Theory]
    [InlineData("Title\n=====\ntext", new[] { "# Title", "text" })]
    [InlineData("Part\n---\ntext", new[] { "## Part", "text" })]
    [InlineData("墨分\n五色。\n好", new[] { "墨分五色。好" })]
    [InlineData("a\r\n\r\n\r\n  b  ", new[] { "a", "b" })]
    [InlineData("# h\nnext", new[] { "# h", "next" })]
    [InlineData(" \n ", new string[0])]
    public void Markdown_is_split_into_blocks(string markdown, string[] blocks) => Assert.Equal(blocks, MarkdownBlocks.Split(markdown));

    [Theory]
    [InlineData("new place: expected 1 to 3, found 4", "--section", "1", "--op", "move-section", "--to", "4")]
    [InlineData("section 1 has no figure with candidates", "--section", "1", "--op", "set-caption", "--caption", "x")]
    [InlineData("section 1 has no figure with candidates", "--section", "1", "--op", "set-caption")]
    public async Task Impossible_edit_is_found_before_a_model_is_loaded(string message, params string[] args)
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync(["edit", "--article", Folder, .. args]));
        Assert.Equal(($"xc2: {message}\n", true), (xc2.Error, xc2.LoadedWith is null));
    }

    [Theory]
    [InlineData("--op set-title needs --title", "--op", "set-title")]
    [InlineData("--op set-title does not take --section", "--op", "set-title", "--title", "x", "--section", "1")]
    [InlineData("--op move-section needs --to", "--op", "move-section", "--section", "1")]
    [InlineData("--op rewrite does not take --alt", "--op", "rewrite", "--section", "1", "--alt", "x")]
    [InlineData("--op rewrite does not take --to", "--op", "rewrite", "--section", "1", "--to", "2")]
    [InlineData("--picture-size must be an integer, 64 to 16384, not '1'", "--op", "undo", "--picture-size", "1")]
    public async Task Options_of_other_operations_are_rejected(string message, params string[] args)
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Usage, await xc2.RunAsync(["edit", "--article", "not-there", .. args]));
        Assert.StartsWith($"xc2: {message}\n", xc2.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reports_of_edits_state_the_change()
    {
        string picture = Path.Combine(root, "mine.png");
        File.WriteAllBytes(picture, CompositionPictures.Bytes(5));
        Assert.Equal("section 1 replaced\n", await EditAsync("--section", "1", "--op", "set-text", "--instruction", "first"));
        Assert.Equal("figure after section 3: mine: mine.png of own, the only candidate\n", await EditAsync("--section", "3", "--op", "replace-figure", "--image", picture, "--caption", "mine"));
        Assert.Equal("figure after section 1: mine.png of own, the only candidate\nthe figure has no caption: --op set-caption writes one\n", await EditAsync("--section", "1", "--op", "replace-figure", "--image", picture));
        Assert.Equal("figure after section 3 removed\n", await EditAsync("--section", "3", "--op", "remove-figure"));
        Assert.Equal("section 2 removed, with its figure\n", await EditAsync("--section", "2", "--op", "remove-section"));
        Assert.Equal("section 2 removed\n", await EditAsync("--section", "2", "--op", "set-text", "--instruction", " "));
    }

    /// <summary>Edits through the command: the second waits for the first, also while the model writes.</summary>
    [Fact]
    public async Task Two_edits_at_once_are_both_kept()
    {
        using SemaphoreSlim writing = new(0);
        using CliHarness slow = new() { Composer = new ScriptedCompositionModel(_ => "written by the model") { OnPiece = piece => { if (piece == 2) { writing.Release(); Thread.Sleep(400); } } } };
        Task<int> first = Task.Run(() => slow.RunAsync("edit", "--article", Folder, "--section", "1", "--op", "rewrite"), TestContext.Current.CancellationToken);
        await writing.WaitAsync(TestContext.Current.CancellationToken);
        string second = await EditAsync("--section", "3", "--op", "set-text", "--instruction", "changed meanwhile");
        Assert.Equal(ExitCode.Done, await first);
        Assert.Equal(["written by the model", "two", "changed meanwhile"], Current.Sections.Select(section => section.Text));
        Assert.StartsWith($"xc2: {Folder}: waiting for another xc2 that is changing this article ...\n", second, StringComparison.Ordinal);
        Assert.Equal(["compose", "rewrite 1", "set-text 3"], ArticleFolder.Open(Folder).States.Select(state => state.Change));
    }

    [Fact]
    public async Task Article_that_cannot_be_written_is_found_before_a_model_is_loaded()
    {
        File.Delete(Path.Combine(Folder, "article.html"));
        Directory.CreateDirectory(Path.Combine(Folder, "article.html"));
        using CliHarness edit = new();
        Assert.Equal(ExitCode.Failed, await edit.RunAsync("edit", "--article", Folder, "--section", "1", "--op", "rewrite"));
        Assert.Equal(($"xc2: {Path.Combine(Folder, "article.html")}: is a folder; a file is to be written there\n", true), (edit.Error, edit.LoadedWith is null));
        using CliHarness compose = new();
        Assert.Equal(ExitCode.Failed, await compose.RunAsync("compose", "--instruction", "x", "--out", Folder, "--force"));
        Assert.Equal((edit.Error, true), (compose.Error, compose.LoadedWith is null));
        Directory.Delete(Path.Combine(Folder, "article.html"));

        Directory.Move(Path.Combine(Folder, "pictures"), Path.Combine(Folder, "elsewhere"));
        Directory.CreateSymbolicLink(Path.Combine(Folder, "pictures"), Path.Combine(Folder, "elsewhere"));
        using CliHarness linked = new();
        Assert.Equal(ExitCode.Failed, await linked.RunAsync("edit", "--article", Folder, "--section", "1", "--op", "rewrite"));
        Assert.Null(linked.LoadedWith);
    }
}
