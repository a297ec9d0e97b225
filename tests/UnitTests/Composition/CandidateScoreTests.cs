using System.Text.Json;
using XComposer2.Native.Cli;
using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Scores of candidates: the model's probabilities, the search's ranks, and where they are shown.</summary>
public sealed class CandidateScoreTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("xc2-scores").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Folder => Path.Combine(root, "article");

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static TokenScore Token(char text, params (char Text, float Probability)[] likely) =>
        new(text, MathF.Log(likely.FirstOrDefault(other => other.Text == text).Probability), [.. likely.Select(other => new TokenAlternative(other.Text, MathF.Log(other.Probability)))]);

    /// <summary>": C" with 20 % for A, 70 % for C, 5 % for another text.</summary>
    private static ScriptedCompositionModel Choosing(string choice = ": C") => new(prompt => prompt.AnswerPrefix == "最合适的图是" ? choice : "")
    {
        Scores = _ => [Token(':', (':', 0.9f), ('A', 0.05f)), Token(' ', (' ', 1)), Token('C', ('C', 0.7f), ('A', 0.2f), ('x', 0.05f))],
    };

    [Fact]
    public void Probability_is_that_of_the_token_with_the_letter()
    {
        TokenScore[] scores = [Token(':', (':', 0.9f), ('A', 0.05f)), Token('C', ('C', 0.7f), ('A', 0.2f), ('D', 0.04f))];
        IReadOnlyList<float?> values = LetterProbabilities.Read(scores, 3, char.ConvertFromUtf32).Values;
        Assert.Equal(3, values.Count);
        Assert.Equal(0.2f, values[0]!.Value, 1e-4f);
        Assert.Null(values[1]);
        Assert.Equal(0.7f, values[2]!.Value, 1e-4f);
        Assert.Empty(LetterProbabilities.Read([], 3, char.ConvertFromUtf32).Values);
    }

    [Fact]
    public void Tokens_with_and_without_a_space_are_the_same_letter()
    {
        TokenScore score = new(1, MathF.Log(0.5f), [new TokenAlternative(1, MathF.Log(0.5f)), new TokenAlternative(2, MathF.Log(0.3f)), new TokenAlternative(3, MathF.Log(0.1f))]);
        IReadOnlyList<float?> values = LetterProbabilities.Read([score], 2, id => id switch { 1 => " B", 2 => "B", _ => "A1" }).Values;
        Assert.Equal(0.8f, values[1]!.Value, 1e-4f);
        Assert.Null(values[0]);
    }

    [Fact]
    public async Task Figure_has_ranks_and_probabilities_of_all_candidates()
    {
        ScriptedCompositionModel model = Choosing();
        using ArticleComposer composer = new(model, null);
        ShelfSource shelf = new([.. Enumerable.Range(0, 3).Select(index => CompositionPictures.Found(index))]);
        Article after = await composer.FindAsync(CompositionPictures.Article("one"), 0, "a star", new PictureSource("shelf", shelf), 5, Cancellation).ToArticleAsync(Cancellation);
        ArticleFigure figure = after.Sections[0].Figure!;
        Assert.Equal([1, 2, 3], figure.Scores.Select(score => score.Rank));
        Assert.Equal([0.2f, null, 0.7f], figure.Scores.Select(score => score.Probability is { } probability ? MathF.Round(probability, 3) : (float?)null));
        Assert.Equal((true, 20), (model.Asked[0].Options.LogProbs, model.Asked[0].Options.TopLogProbs));
        Assert.Equal("2.png of shelf (candidate 3 of 3, 70 %), not 0.png (candidate 1, 20 %), 1.png (candidate 2)", CandidateText.Choice(figure));
        Assert.Equal(CandidateText.Choice(figure), CandidateText.Choice(Stored(after).Sections[0].Figure!));
    }

    [Fact]
    public async Task Letters_label_the_candidates_that_no_other_figure_shows()
    {
        Article before = CompositionPictures.Article("one", "two").WithFigure(0, CompositionPictures.Shown(0)).WithFigure(1, CompositionPictures.Shown(0, 1, 2, 3) with { ChosenIndex = null });
        using ArticleComposer composer = new(Choosing(), null);
        ArticleFigure figure = (await composer.ChooseAsync(before, 1, 5, Cancellation).ToArticleAsync(Cancellation)).Sections[1].Figure!;
        Assert.Equal(3, figure.ChosenIndex);
        Assert.Equal([null, 0.2f, null, 0.7f], figure.Scores.Select(score => score.Probability is { } probability ? MathF.Round(probability, 3) : (float?)null));
    }

    [Fact]
    public async Task Edits_say_which_picture_was_chosen_and_over_which_candidates()
    {
        ArticleFolder.Create(Folder, ArticleHistory.Begin(CompositionPictures.Article("one", "two").WithFigure(1, CompositionPictures.Shown(0, 1, 2))), ArticleOutput.Standard);
        using CliHarness xc2 = new() { Composer = Choosing() };
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("edit", "--article", Folder, "--section", "2", "--op", "choose-figure", "--json"));
        const string Done = "figure after section 2: shown: 2.png of shelf (candidate 3 of 3, 70 %), not 0.png (candidate 1, 20 %), 1.png (candidate 2); before: 0.png";
        Assert.EndsWith($"{Done}\n", xc2.Error, StringComparison.Ordinal);
        using JsonDocument report = JsonDocument.Parse(xc2.Output);
        Assert.Equal(Done, report.RootElement.GetProperty("done")[0].GetString());
        JsonElement choices = report.RootElement.GetProperty("sections")[1].GetProperty("figure").GetProperty("choices");
        Assert.Equal((3, 1, "0.png"), (choices.GetArrayLength(), choices[0].GetProperty("number").GetInt32(), choices[0].GetProperty("name").GetString()));
        Assert.Equal(0.7, choices[2].GetProperty("probability").GetDouble(), 1e-3);

        using CliHarness chosen = new();
        Assert.Equal(ExitCode.Done, await chosen.RunAsync("edit", "--article", Folder, "--section", "2", "--op", "choose-figure", "--candidate", "2"));
        Assert.Equal("figure after section 2: shown: 1.png of shelf (candidate 2 of 3), not 0.png (candidate 1, 20 %), 2.png (candidate 3, 70 %); before: 2.png\n", chosen.Error);
        Assert.Null(chosen.LoadedWith);
    }

    [Fact]
    public async Task Candidates_page_shows_numbers_scores_and_the_choice()
    {
        using (ArticleComposer composer = new(Choosing(), null))
        {
            ShelfSource shelf = new([.. Enumerable.Range(0, 3).Select(index => CompositionPictures.Found(index, $"picture <{index}>"))]);
            Article article = await composer.FindAsync(CompositionPictures.Article("one & only"), 0, "a *star*", new PictureSource("shelf", shelf), 5, Cancellation).ToArticleAsync(Cancellation);
            ArticleFolder.Create(Folder, ArticleHistory.Begin(article with { Title = "The park" }), ArticleOutput.Standard);
        }

        string page = File.ReadAllText(Path.Combine(Folder, "candidates.html"));
        Assert.Contains("<h1>Candidates: The park</h1>", page, StringComparison.Ordinal);
        Assert.Contains("<h2>Figure after section 1: a star</h2>\n<p class=\"excerpt\">one &amp; only</p>", page, StringComparison.Ordinal);
        Assert.Equal(3, page.Split("<li>").Length + page.Split("<li class").Length - 2);
        Assert.Contains("<span>Candidate 3</span><span>chosen</span></div>\n<progress max=\"1\" value=\"0.7\"></progress>\n<p>Model 70 %, search rank 3</p>", page, StringComparison.Ordinal);
        Assert.Contains("<span>Candidate 2</span><span></span></div>\n<p>Search rank 2</p>\n<p>1.png <span class=\"soft\">of shelf</span></p>\n<p class=\"soft\">picture &lt;1&gt;</p>", page, StringComparison.Ordinal);
        foreach (ArticlePicture picture in ArticleFolder.Open(Folder).Current.Sections[0].Figure!.Candidates)
            Assert.Contains($"src=\"pictures/{picture.FileName}\"", page, StringComparison.Ordinal);

        // Without candidates there is no page.
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("edit", "--article", Folder, "--section", "1", "--op", "remove-figure"));
        Assert.False(File.Exists(Path.Combine(Folder, "candidates.html")));
    }

    [Fact]
    public void Hostile_texts_do_not_become_markup_of_the_candidates_page()
    {
        foreach (string text in SampleArticle.Hostile)
        {
            ArticlePicture picture = ArticlePicture.Of(new(text, text, text, SampleArticle.Red.Bytes), text);
            using MemoryStream stream = new();
            CandidatesPage.Write(SampleArticle.Of() with { Title = text, Sections = [SampleArticle.Illustrated(text, text, picture)] }, stream);
            string body = System.Text.Encoding.UTF8.GetString(stream.ToArray());
            body = body[body.IndexOf("</style>", StringComparison.Ordinal)..];
            using MemoryStream plain = new();
            CandidatesPage.Write(SampleArticle.Of() with { Title = "t", Sections = [SampleArticle.Illustrated("t", "t", ArticlePicture.Of(new("t", "t", "t", SampleArticle.Red.Bytes), "t"))] }, plain);
            string expected = System.Text.Encoding.UTF8.GetString(plain.ToArray());
            Assert.Equal(expected[expected.IndexOf("</style>", StringComparison.Ordinal)..].Count(letter => letter is '<' or '>'), body.Count(letter => letter is '<' or '>'));
        }
    }

    [Theory]
    [InlineData("\"scores\": [\n              {\n                \"rank\": 1\n              }\n            ],", "scores: expected one for each of 2 candidates, found 1")]
    public void Damaged_scores_are_rejected(string scores, string message)
    {
        Article article = CompositionPictures.Article("one").WithFigure(0, CompositionPictures.Shown(0, 1));
        ArticleFolder.Create(Folder, ArticleHistory.Begin(article), []);
        string file = Path.Combine(Folder, "article.json"), json = File.ReadAllText(file);
        File.WriteAllText(file, json.Replace("\"chosen\": 0", $"{scores}\n\"chosen\": 0", StringComparison.Ordinal));
        Assert.EndsWith(message, Assert.Throws<ArticleFileException>(() => ArticleFolder.Open(Folder)).Message, StringComparison.Ordinal);
    }

    private Article Stored(Article article)
    {
        string folder = Path.Combine(root, "stored");
        ArticleFolder.Create(folder, ArticleHistory.Begin(article), []);
        return ArticleFolder.Open(folder).Current;
    }
}
