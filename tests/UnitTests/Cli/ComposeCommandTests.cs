using System.Text.Json;
using XComposer2.Native.Cli;
using XComposer2.Native.Composition;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class ComposeCommandTests : IDisposable
{
    private const string Text = "Welcome.\nA red circle.\nGoodbye.";

    private readonly string root = Directory.CreateTempSubdirectory("xc2-compose").FullName;

    private string Folder => Path.Combine(root, "made");

    private string Gallery => Path.Combine(root, "gallery");

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static CliHarness Harness(string text = Text, string places = "<Seg1>", string choice = ": B") =>
        new() { Composer = ScriptedCompositionModel.Of(text, places, "a red circle\"。", choice) };

    private string[] Compose(params string[] more) => ["compose", "--out", Folder, "--seed", "7", .. more];

    /// <summary>Fills the gallery with dissimilar pictures that the fake model describes as red.</summary>
    private void FillGallery(int count)
    {
        (byte Red, byte Green, byte Blue)[] reds = [(255, 0, 0), (255, 250, 0), (255, 0, 250), (255, 200, 200), (140, 60, 60), (255, 130, 130)];
        Directory.CreateDirectory(Gallery);
        for (int i = 0; i < count; i++)
            File.WriteAllBytes(Path.Combine(Gallery, $"{i}.png"), TestPicture.Png(reds[i].Red, reds[i].Green, reds[i].Blue));
    }

    private string[] Files() => [.. Directory.EnumerateFiles(Folder).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Article_with_gallery_figures_is_written_to_a_folder()
    {
        FillGallery(6);
        using CliHarness xc2 = Harness();

        Assert.Equal(ExitCode.Done, await xc2.RunAsync(Compose("--instruction", "about the park", "--gallery", Gallery)));
        Assert.Equal(Text + "\n", xc2.Output);
        Assert.Equal(["article.docx", "article.html", "article.json", "article.md", "article.zip", "candidates.html"], Files());
        Article article = ArticleFolder.Open(Folder).Current;
        Assert.Equal(("about the park", 7ul, "gallery"), (article.Instruction, article.Seed, article.Sections[1].Figure!.Picture!.Source));
        string[] lines = xc2.Error.TrimEnd().Split('\n');
        Assert.Equal(["writing", "choosing places for figures", "writing caption 1 of 1", "searching for picture 1 of 1: a red circle", "choosing picture 1 of 1"], lines[..5]);
        Assert.Equal($"figure after section 2: a red circle: {CandidateText.Choice(article.Sections[1].Figure!)}", lines[5]);
        Assert.Equal($"3 sections, 1 figure, seed 7: {Folder}", lines[^1]);
        Assert.True(xc2.Composer.IsDisposed);
    }

    [Fact]
    public async Task Terminal_shows_text_without_progress_lines()
    {
        FillGallery(6);
        using CliHarness xc2 = new() { Composer = ScriptedCompositionModel.Of(Text, "<Seg1>", "a red circle\"。"), IsTerminal = true };

        Assert.Equal(ExitCode.Done, await xc2.RunAsync(Compose("--instruction", "x", "--gallery", Gallery)));
        Assert.Equal(Text + "\n", xc2.Output);
        Assert.DoesNotContain("choosing", xc2.Error, StringComparison.Ordinal);
        Assert.EndsWith($"3 sections, 1 figure, seed 7: {Folder}\n", xc2.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_only_article_opens_no_gallery()
    {
        FillGallery(2);
        using CliHarness xc2 = Harness();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync(Compose("--instruction", "x", "--gallery", Gallery, "--figures", "0")));
        Assert.Equal(2, Directory.EnumerateFileSystemEntries(Gallery).Count());
        Assert.Single(xc2.Composer.Asked);
    }

    [Fact]
    public async Task Json_report_is_one_complete_object()
    {
        FillGallery(6);
        using CliHarness xc2 = Harness(places: "<Seg1>, <Seg9>");

        Assert.Equal(ExitCode.Done, await xc2.RunAsync(Compose("--instruction", "x", "--gallery", Gallery, "--json")));
        using JsonDocument report = JsonDocument.Parse(xc2.Output);
        JsonElement root = report.RootElement;
        Assert.Equal(Folder, root.GetProperty("folder").GetString());
        Assert.Equal(3, root.GetProperty("sections").GetArrayLength());
        JsonElement figure = root.GetProperty("sections")[1].GetProperty("figure");
        Assert.True(File.Exists(Path.Combine(Folder, figure.GetProperty("file").GetString()!)));
        Assert.Equal(("a red circle", 2), (figure.GetProperty("caption").GetString(), figure.GetProperty("candidate").GetInt32()));
        Assert.Equal(("place", "model"), (root.GetProperty("notes")[0].GetProperty("step").GetString(), root.GetProperty("notes")[0].GetProperty("cause").GetString()));
    }

    [Fact]
    public async Task Own_pictures_illustrate_an_article_with_a_title()
    {
        FillGallery(2);
        File.WriteAllText(Path.Combine(root, "outline.txt"), "a red circle\nthe end\n");
        File.WriteAllText(Path.Combine(root, "material.txt"), "It is round.");
        using CliHarness xc2 = Harness();
        int exit = await xc2.RunAsync(Compose(
            "--title", "the park", "--outline", Path.Combine(root, "outline.txt"), "--material", Path.Combine(root, "material.txt"), "--image", Path.Combine(Gallery, "0.png"), "--figures", "auto"));
        Assert.Equal(ExitCode.Done, exit);
        Assert.Equal("<ImageHere>Please write a blog based on the title: the park. Outline: a red circle; the end. Use this material: It is round.", xc2.Composer.Asked[0].Prompt.Text);
        Article article = ArticleFolder.Open(Folder).Current;
        Assert.Equal(("the park", "0.png"), (article.Title, article.Sections[1].Figure!.Picture!.Name));
    }

    [Fact]
    public async Task Options_reach_the_model()
    {
        using CliHarness xc2 = Harness();
        await xc2.RunAsync(Compose(
            "--instruction", "x", "--model", "some/folder", "--device", "cpu", "--weights", "int8", "--embeddings", "host", "--sums", "f16", "--threads", "3", "--context", "77", "--temperature", "0.5", "--top-p", "0.25", "--top-k", "7",
            "--repetition-penalty", "1.5", "--max-tokens", "11", "--candidates", "3"));
        Assert.Equal(("some/folder", 77, 3, DeviceKind.Cpu), (xc2.LoadedWith!.ModelPath, xc2.LoadedWith.Limits.Context, xc2.LoadedWith.Device.Threads, xc2.LoadedWith.Device.Kind));
        Assert.Equal((WeightQuantization.Int8, EmbeddingPlace.Host, true), (xc2.LoadedWith.Quantization, xc2.LoadedWith.Device.Embeddings, xc2.LoadedWith.Device.HalfSums));
        GenerationOptions sampling = xc2.ComposedWith!.Sampling;
        Assert.Equal((false, 0.5f, 0.25f, 7, 1.5f), (sampling.Greedy, sampling.Temperature, sampling.TopP, sampling.TopK, sampling.RepetitionPenalty));
        Assert.Equal((11, 3), (xc2.ComposedWith.MaxArticleTokens, xc2.ComposedWith.Candidates));
    }

    [Fact]
    public void Help_states_the_actual_defaults()
    {
        ComposerOptions defaults = new();
        foreach (string page in (string[])[ComposeCommand.HelpPage, EditCommand.HelpPage])
        {
            Assert.Contains(FormattableString.Invariant($"0 for greedy ({defaults.Sampling.Temperature})"), page, StringComparison.Ordinal);
            Assert.Contains(FormattableString.Invariant($"at most 1 ({defaults.Sampling.TopP})"), page, StringComparison.Ordinal);
            Assert.Contains(FormattableString.Invariant($"0 for all ({defaults.Sampling.TopK})"), page, StringComparison.Ordinal);
            Assert.Contains(FormattableString.Invariant($"1 is none ({defaults.Sampling.RepetitionPenalty})"), page, StringComparison.Ordinal);
            Assert.Contains(FormattableString.Invariant($"1 to 10 ({defaults.Candidates})"), page, StringComparison.Ordinal);
        }

        Assert.Contains(FormattableString.Invariant($"longest text ({defaults.MaxArticleTokens})"), ComposeCommand.HelpPage, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"longest section ({defaults.MaxEditTokens})"), EditCommand.HelpPage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Default_folder_is_the_next_free_name()
    {
        string before = Directory.GetCurrentDirectory();
        Directory.SetCurrentDirectory(root);
        try
        {
            using CliHarness first = Harness();
            using CliHarness second = Harness();
            Assert.Equal(ExitCode.Done, await first.RunAsync("compose", "--instruction", "x"));
            Assert.Equal(ExitCode.Done, await second.RunAsync("compose", "--instruction", "x"));
            Assert.EndsWith(": article-2\n", second.Error, StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(root, "article", "article.json")) && File.Exists(Path.Combine(root, "article-2", "article.json")));
        }
        finally
        {
            Directory.SetCurrentDirectory(before);
        }
    }

    [Fact]
    public async Task Existing_folder_is_rejected_before_a_model_is_loaded()
    {
        Directory.CreateDirectory(Folder);
        using CliHarness xc2 = Harness();
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync(Compose("--instruction", "x")));
        Assert.Equal($"xc2: {Folder}: the folder exists already; --force replaces its article and keeps other files\n", xc2.Error);
        Assert.Null(xc2.LoadedWith);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Folder));

        Assert.Equal(ExitCode.Done, await xc2.RunAsync(Compose("--instruction", "x", "--force")));
        Assert.Contains("article.json", Files());
    }

    [Fact]
    public async Task Invalid_pictures_and_galleries_are_one_line_errors()
    {
        FillGallery(0);
        string text = Path.Combine(root, "text.png");
        File.WriteAllText(text, "hello");
        (string[] Args, string Message)[] bad =
        [
            (["--gallery", Path.Combine(root, "none")], $"{Path.Combine(root, "none")}: no such folder"),
            (["--gallery", Gallery], $"{Gallery}: no pictures: PNG, JPEG, WebP, GIF, BMP or TIFF expected, found 0 other files and folders"),
            (["--image", text], $"{text}: not a picture: expected PNG, JPEG, WebP, GIF, BMP or TIFF; found bytes 68 65 6C 6C 6F"),
            (["--image", text + "x"], $"{text}x: no such file"),
        ];
        foreach ((string[] args, string message) in bad)
        {
            using CliHarness xc2 = Harness();
            Assert.Equal(ExitCode.Failed, await xc2.RunAsync(Compose(["--instruction", "x", .. args])));
            Assert.Equal($"xc2: {message}\n", xc2.Error);
            Assert.False(Directory.Exists(Folder));
        }
    }

    [Fact]
    public async Task Damaged_gallery_picture_is_skipped_with_a_note()
    {
        FillGallery(3);
        File.WriteAllBytes(Path.Combine(Gallery, "bad.png"), CompositionPictures.Bytes(0)[..80]);
        using CliHarness xc2 = Harness();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync(Compose("--instruction", "x", "--gallery", Gallery)));
        Assert.Contains("note: bad.png: ", xc2.Error, StringComparison.Ordinal);
        Assert.NotNull(ArticleFolder.Open(Folder).Current.Sections[1].Figure!.Picture);
    }

    [Theory]
    [InlineData("no instruction: expected --instruction or --title")]
    [InlineData("--instruction and --title exclude each other", "--instruction", "x", "--title", "y")]
    [InlineData("--outline and --material need --title", "--instruction", "x", "--outline", "y")]
    [InlineData("--title is empty", "--title", " ")]
    [InlineData("--gallery and --picture-service exclude each other", "--instruction", "x", "--gallery", "g", "--picture-service", "https://example.org")]
    [InlineData("--picture-service needs --allow-host: article captions are sent to the allowed hosts only", "--instruction", "x", "--picture-service", "https://example.org")]
    [InlineData("--allow-host needs --picture-service", "--instruction", "x", "--allow-host", "example.org")]
    [InlineData("--picture-service must be an address, not 'example'", "--instruction", "x", "--picture-service", "example", "--allow-host", "example")]
    [InlineData("--image excludes --gallery and --picture-service", "--instruction", "x", "--image", "a.png", "--gallery", "/")]
    [InlineData("--figures needs pictures: --gallery or --image", "--instruction", "x", "--figures", "2")]
    [InlineData("--figures must be auto or an integer, 0 to 60, not '61'", "--instruction", "x", "--figures", "61")]
    [InlineData("--figures must be auto or an integer, 0 to 60, not 'many'", "--instruction", "x", "--figures", "many")]
    [InlineData("--candidates must be an integer, 1 to 10, not '11'", "--instruction", "x", "--candidates", "11")]
    public async Task Wrong_usage_is_reported_before_a_model_is_loaded(string message, params string[] args)
    {
        using CliHarness xc2 = Harness();
        Assert.Equal(ExitCode.Usage, await xc2.RunAsync(["compose", .. args]));
        Assert.Equal($"xc2: {message}\n{CliApplication.UsageOf(ComposeCommand.HelpPage)}\n", xc2.Error);
        Assert.Null(xc2.LoadedWith);
    }

    [Fact]
    public async Task Invalid_text_files_are_one_line_errors()
    {
        string bad = Path.Combine(root, "bad.txt"), large = Path.Combine(root, "large.txt");
        File.WriteAllBytes(bad, [0x41, 0xFF]);
        File.WriteAllBytes(large, new byte[(1 << 20) + 1]);
        (string File, string Message)[] texts = [(bad, "not a text in UTF-8"), (large, "the text is longer than 1048576 bytes"), (root, "is a folder, not a text"), (bad + "x", "no such file")];
        foreach ((string file, string message) in texts)
        {
            using CliHarness xc2 = Harness();
            Assert.Equal(ExitCode.Failed, await xc2.RunAsync(Compose("--title", "x", "--material", file)));
            Assert.Equal($"xc2: {file}: {message}\n", xc2.Error);
        }
    }

    [Fact]
    public async Task Instruction_is_read_from_a_pipe()
    {
        using CliHarness xc2 = new() { Composer = ScriptedCompositionModel.Of(Text, ""), Input = "write\nabout it\n" };
        Assert.Equal(ExitCode.Done, await xc2.RunAsync(Compose("--instruction", "-")));
        Assert.Equal("write\nabout it", xc2.Composer.Asked[0].Prompt.Text);
    }

    [Fact]
    public async Task Answer_without_places_gives_an_article_without_figures_and_a_note()
    {
        FillGallery(3);
        using CliHarness xc2 = Harness(places: "nowhere");
        Assert.Equal(ExitCode.Done, await xc2.RunAsync(Compose("--instruction", "x", "--gallery", Gallery)));
        Assert.Contains("note: the model named no place for a figure: \"nowhere\"\n", xc2.Error, StringComparison.Ordinal);
        Assert.EndsWith($"3 sections, 0 figures, seed 7: {Folder}\n", xc2.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Empty_answer_creates_no_folder()
    {
        using CliHarness xc2 = Harness(text: " ");
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync(Compose("--instruction", "x")));
        Assert.EndsWith("xc2: the model returned no text; another seed may help\n", xc2.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Folder));
    }

    [Fact]
    public async Task Interrupt_at_any_point_keeps_a_complete_article()
    {
        FillGallery(4);
        int total = 0;
        using (CliHarness whole = new() { Composer = Scripted(piece => total = piece) })
            await whole.RunAsync(Compose("--instruction", "x", "--gallery", Gallery));
        Directory.Delete(Folder, recursive: true);
        var figures = new HashSet<string>();
        for (int stop = 1; stop <= total; stop++)
        {
            int at = stop;
            CliHarness? harness = null;
            using CliHarness xc2 = harness = new() { Composer = Scripted(piece => Assert.True(piece != at || harness!.Interrupts.Interrupt()), at) };
            Assert.Equal(ExitCode.Interrupted, await xc2.RunAsync(Compose("--instruction", "x", "--gallery", Gallery)));
            Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(root), entry => entry.EndsWith(".tmp", StringComparison.Ordinal));
            if (!Directory.Exists(Folder))
            {
                // Before the first complete line there is no article.
                Assert.True(stop <= 4, $"nothing was kept at piece {stop}");
                continue;
            }

            Article article = ArticleFolder.Open(Folder).Current;
            figures.Add(article.Sections.Select(section => section.Figure).FirstOrDefault(figure => figure is not null) switch
            {
                null => "none",
                { Caption: "" } => "placed",
                { Candidates.Count: 0 } => "captioned",
                { Picture: null } => "found",
                _ => "chosen",
            });
            string[] candidates = article.Sections.Any(section => section.Figure is { Candidates.Count: > 0 }) ? ["candidates.html"] : [];
            Assert.Equal(["article.docx", "article.html", "article.json", "article.md", "article.zip", .. candidates], Files());
            Assert.Contains($"The article so far is in {Folder}.\n", xc2.Error, StringComparison.Ordinal);
            Directory.Delete(Folder, recursive: true);
        }

        Assert.Equal(["found", "none", "placed"], figures.Order());

        static ScriptedCompositionModel Scripted(Action<int> onPiece, int stopsAt = -1) =>
            new(prompt => prompt.AnswerPrefix switch { "" => Text, "适合插入图像的行是" => "<Seg1>", "标题是\"" => "red\"", _ => ": B" }) { OnPiece = onPiece, StopsAt = stopsAt };
    }
}
