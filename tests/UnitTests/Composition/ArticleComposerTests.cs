using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The pipeline with a scripted model and an in-memory picture source.</summary>
public sealed class ArticleComposerTests
{
    private const string Text = "Welcome.\nA red circle.\n\nA blue square.\nGoodbye.";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static ArticleRequest Request(params ArticlePicture[] own) => new() { Instruction = "write", Seed = 7, OwnPictures = own };

    private static async Task<Article> ComposeAsync(ScriptedCompositionModel model, ArticleRequest request, PictureSource? source)
    {
        using ArticleComposer composer = new(model, null);
        return await composer.ComposeAsync(request, source, Cancellation).ToArticleAsync(Cancellation);
    }

    [Fact]
    public async Task Article_is_written_and_illustrated()
    {
        ScriptedCompositionModel model = ScriptedCompositionModel.Of(Text, "<Seg1>, <Seg2>.", "a thing\"");
        ShelfSource shelf = new([.. Enumerable.Range(0, 6).Select(index => CompositionPictures.Found(index))]);

        Article article = await ComposeAsync(model, Request(), new PictureSource("shelf", shelf));

        Assert.Equal(["Welcome.", "A red circle.", "A blue square.", "Goodbye."], article.Sections.Select(section => section.Text));
        Assert.Equal(("write", 7ul, "scripted model"), (article.Instruction, article.Seed, article.Model));
        Assert.Equal([null, "1.png", "2.png", null], article.Sections.Select(section => section.Figure?.Picture!.Name));
        Assert.All(article.Sections.Where(section => section.Figure is not null), section => Assert.Equal(("a thing", "shelf", 4), (section.Figure!.Caption, section.Figure.Picture!.Source, section.Figure.Candidates.Count)));
        Assert.Empty(article.Notes);

        // Text, places, two captions, two choices; the second search excludes the picture of the first figure.
        Assert.Equal(["", "适合插入图像的行是", "标题是\"", "标题是\"", "最合适的图是", "最合适的图是"], model.Asked.Select(asked => asked.Prompt.AnswerPrefix));
        Assert.Equal([4, 4], shelf.Queries.Select(query => query.Count));
        Assert.Equal(["id-1"], shelf.Queries[1].ExcludedIds);
        Assert.Equal(["1.png", "0.png", "2.png", "3.png", "4.png"], model.Asked[5].Prompt.Pictures.Select(picture => picture.Name));
    }

    [Fact]
    public async Task Every_step_uses_the_sampling_of_the_original()
    {
        ScriptedCompositionModel model = ScriptedCompositionModel.Of(Text, "<Seg1>");
        using ArticleComposer composer = new(model, null);
        Article article = await composer.ComposeAsync(Request(), CompositionPictures.Shelf(4), Cancellation).ToArticleAsync(Cancellation);
        await composer.EditAsync(article, 0, SectionEdit.Abbreviate, "", 7, Cancellation).ToArticleAsync(Cancellation);

        Assert.Equal([4096, 200, 200, 10, 500], model.Asked.Select(asked => asked.Options.MaxTokens));
        Assert.All(model.Asked, asked => Assert.Equal(
            (false, 1f, 0.8f, 40, 1.005f), (asked.Options.Greedy, asked.Options.Temperature, asked.Options.TopP, asked.Options.TopK, asked.Options.RepetitionPenalty)));
        Assert.Equal(7ul, model.Asked[0].Options.Seed);
        Assert.Equal(5, model.Asked.Select(asked => asked.Options.Seed).Distinct().Count());
    }

    [Fact]
    public async Task Single_step_sends_the_same_prompts_as_in_the_whole()
    {
        ScriptedCompositionModel model = ScriptedCompositionModel.Of(Text, "<Seg1>, <Seg2>");
        using ArticleComposer composer = new(model, null);
        PictureSource shelf = CompositionPictures.Shelf(6);
        Article whole = await composer.ComposeAsync(Request(), shelf, Cancellation).ToArticleAsync(Cancellation);
        int asked = model.Asked.Count;

        Article article = await composer.WriteAsync(Request(), Cancellation).ToArticleAsync(Cancellation);
        article = await composer.PlaceAsync(article, ArticleRequest.DefaultFigures, 7, Cancellation).ToArticleAsync(Cancellation);
        Assert.All(article.Sections.Where(section => section.Figure is not null), section => Assert.Null(section.Figure!.Picture));
        article = await composer.CaptionAsync(article, 7, Cancellation).ToArticleAsync(Cancellation);
        article = await composer.IllustrateAsync(article, shelf, 7, Cancellation).ToArticleAsync(Cancellation);

        Assert.Equal(whole.Sections.Select(section => section.Figure?.Picture?.FileName), article.Sections.Select(section => section.Figure?.Picture?.FileName));
        Assert.Equal(model.Asked.Take(asked).Select(one => (one.Prompt.Text, one.Options.Seed)), model.Asked.Skip(asked).Select(one => (one.Prompt.Text, one.Options.Seed)));

        await composer.CaptionAsync(article, 8, Cancellation).ToArticleAsync(Cancellation);
        Assert.NotEqual(model.Asked[2].Options.Seed, model.Asked[^2].Options.Seed);
    }

    [Fact]
    public async Task Repeated_step_replaces_its_notes()
    {
        ScriptedCompositionModel model = ScriptedCompositionModel.Of(Text, "<Seg1>, <Seg9>", "\"", "?");
        using ArticleComposer composer = new(model, null);
        PictureSource shelf = CompositionPictures.Shelf(6);
        Article article = await composer.ComposeAsync(Request(), shelf, Cancellation).ToArticleAsync(Cancellation);
        CompositionStep[] noted = [CompositionStep.Place, CompositionStep.Caption, CompositionStep.Choose];
        Assert.Equal(noted, article.Notes.Select(note => note.Step));
        Assert.Equal(noted, (await composer.IllustrateAsync(article, shelf, 7, Cancellation).ToArticleAsync(Cancellation)).Notes.Select(note => note.Step));
        Assert.Equal(noted[..2], (await composer.CaptionAsync(article, 7, Cancellation).ToArticleAsync(Cancellation)).Notes.Select(note => note.Step));
        Assert.Equal(noted[..1], (await composer.PlaceAsync(article, null, 7, Cancellation).ToArticleAsync(Cancellation)).Notes.Select(note => note.Step));
    }

    [Fact]
    public async Task Progress_names_every_step_and_text_is_streamed()
    {
        using ArticleComposer composer = new(ScriptedCompositionModel.Of(Text, "<Seg1>, <Seg2>", "thing\""), null);
        List<CompositionEvent> events = await composer.ComposeAsync(Request(), CompositionPictures.Shelf(6), Cancellation).ToListAsync(Cancellation);

        Assert.Equal(
            [
                new(CompositionStep.Write, 1, 1), new(CompositionStep.Place, 1, 1), new(CompositionStep.Caption, 1, 2), new(CompositionStep.Caption, 2, 2),
                new(CompositionStep.Search, 1, 2, "thing"), new(CompositionStep.Choose, 1, 2, "thing"), new(CompositionStep.Search, 2, 2, "thing"), new StepStarted(CompositionStep.Choose, 2, 2, "thing"),
            ],
            events.OfType<StepStarted>());
        Assert.Equal(Text, string.Concat(events.OfType<TextWritten>().Select(written => written.Text)));
        Assert.Equal([1, 2, 3, 4], events.OfType<ArticleChanged>().Select(changed => changed.Article.Sections.Count).Distinct());
    }

    [Fact]
    public async Task Own_pictures_are_used_once_each_in_article_order()
    {
        // Places are answered in reverse; letters label the remaining pictures.
        ScriptedCompositionModel model = ScriptedCompositionModel.Of(Text, "<Seg3>, <Seg0>, <Seg2>", choice: ": B");
        Article article = await ComposeAsync(model, Request(CompositionPictures.Own(0), CompositionPictures.Own(1), CompositionPictures.Own(2)), null);

        Assert.Equal(["own-1.png", null, "own-2.png", "own-0.png"], article.Sections.Select(section => section.Figure?.Picture!.Name));
        Assert.Empty(article.Notes);
        Assert.Equal("<image> <image> <image>write", CompositionPictures.Published(model.Asked[0].Prompt));
        Assert.StartsWith("<image> <image> <image> 给定文章", CompositionPictures.Published(model.Asked[1].Prompt), StringComparison.Ordinal);
        Assert.EndsWith("选择适合插入图像的3行", model.Asked[1].Prompt.Text, StringComparison.Ordinal);

        // The last picture is assigned without a prompt; the second prompt shows the first choice in the text.
        Assert.Equal(["own-1.png", "own-0.png", "own-2.png"], model.Asked[3].Prompt.Pictures.Select(picture => picture.Name));

        // Then the model describes each picture.
        Assert.Equal(4 + 3, model.Asked.Count);
        Assert.All(model.Asked.Skip(4), asked => Assert.Equal("<image>Describe this image.", CompositionPictures.Published(asked.Prompt)));
        Assert.Equal(["own-1.png", "own-2.png", "own-0.png"], model.Asked.Skip(4).Select(asked => Assert.Single(asked.Prompt.Pictures).Name));
        Assert.All(article.Sections.Where(section => section.Figure is not null), section => Assert.Equal("own", section.Figure!.Picture!.Source));
        Assert.All(article.Sections.Where(section => section.Figure is not null), section => Assert.True(section.Figure!.Caption.Length > 0 && section.Figure.AlternativeText.Length > 0));
    }

    [Theory]
    [InlineData(null, "2")]
    [InlineData(1, "1")]
    [InlineData(5, "2")]
    public async Task Figures_are_limited_to_the_number_of_own_pictures(int? figures, string asked)
    {
        ScriptedCompositionModel model = ScriptedCompositionModel.Of(Text, "<Seg0>, <Seg1>, <Seg2>");
        Article article = await ComposeAsync(model, Request(CompositionPictures.Own(0), CompositionPictures.Own(1)) with { Figures = figures }, null);
        Assert.EndsWith($"选择适合插入图像的{asked}行", model.Asked[1].Prompt.Text, StringComparison.Ordinal);
        Assert.Equal(int.Parse(asked, null), article.Sections.Count(section => section.Figure is not null));
    }

    [Theory]
    [InlineData(null, "6")]
    [InlineData(ArticleRequest.AutomaticFigures, "")]
    [InlineData(2, "2")]
    public async Task Place_prompt_names_six_figures_by_default(int? figures, string asked)
    {
        ScriptedCompositionModel model = ScriptedCompositionModel.Of(Text, "<Seg0>");
        await ComposeAsync(model, Request() with { Figures = figures }, CompositionPictures.Shelf(5));
        Assert.EndsWith($"选择适合插入图像的{asked}行", model.Asked[1].Prompt.Text, StringComparison.Ordinal);
    }

    /// <summary>The original gives generate() ids for places without own pictures and for captions, and embeddings for everything else.</summary>
    [Fact]
    public async Task Repetition_is_penalised_over_the_prompt_where_the_original_passes_ids()
    {
        ScriptedCompositionModel model = ScriptedCompositionModel.Of(Text, "<Seg0>");
        await ComposeAsync(model, Request(), CompositionPictures.Shelf(5));
        Assert.Equal(
            [("", false), ("适合插入图像的行是", true), ("标题是\"", true), ("最合适的图是", false)],
            model.Asked.Select(asked => (asked.Prompt.AnswerPrefix, asked.Options.PenalizePrompt == true)));
        ScriptedCompositionModel own = ScriptedCompositionModel.Of(Text, "<Seg0>");
        await ComposeAsync(own, Request(CompositionPictures.Own(0), CompositionPictures.Own(1)), null);
        Assert.All(own.Asked.Where(asked => asked.Prompt.Pictures.Count > 0), asked => Assert.False(asked.Options.PenalizePrompt));
    }

    [Theory]
    [InlineData("one\ntwo", "one two")]
    [InlineData("one \n  two\r\n\r\n three ", "one two three")]
    [InlineData("one  two", "one  two")]
    public void Lines_of_an_edited_section_are_joined_by_one_blank(string text, string expected) => Assert.Equal(expected, ArticleText.Join(text));

    [Fact]
    public async Task Own_picture_without_a_place_is_noted()
    {
        Article article = await ComposeAsync(ScriptedCompositionModel.Of(Text, "<Seg1>", choice: "A"), Request(CompositionPictures.Own(0), CompositionPictures.Own(1)), null);
        Assert.Equal(new ArticleNote(CompositionStep.Choose, NoteCause.Model, "own pictures without a place in the article: own-1.png"), Assert.Single(article.Notes));
    }

    [Theory]
    [InlineData("no idea", CompositionStep.Place, "the model named no place for a figure: \"no idea\"")]
    [InlineData("<Seg1>, <Seg77>", CompositionStep.Place, "the model named places that were dropped: 1 outside the article")]
    public async Task Unusable_places_are_noted(string answer, CompositionStep step, string note)
    {
        Article article = await ComposeAsync(ScriptedCompositionModel.Of(Text, answer), Request(), CompositionPictures.Shelf(5));
        Assert.Equal(new ArticleNote(step, NoteCause.Model, note), Assert.Single(article.Notes));
        Assert.Equal(4, article.Sections.Count);
    }

    [Fact]
    public async Task Unusable_choice_takes_the_first_candidate_with_a_note()
    {
        Article article = await ComposeAsync(ScriptedCompositionModel.Of(Text, "<Seg1>", choice: "图二"), Request(), CompositionPictures.Shelf(5));
        Assert.Equal("0.png", article.Sections[1].Figure!.Picture!.Name);
        Assert.Equal(new ArticleNote(CompositionStep.Choose, NoteCause.Model, "figure after section 2: the first candidate is used; the model named none: \"图二\""), Assert.Single(article.Notes));
    }

    [Fact]
    public async Task Missing_caption_is_replaced_by_the_section_text()
    {
        Article article = await ComposeAsync(ScriptedCompositionModel.Of("### A \"red\" circle", "<Seg0>", caption: "\""), Request(), CompositionPictures.Shelf(5));
        Assert.Equal("A 'red' circle", article.Sections[0].Figure!.Caption);
        Assert.Equal(CompositionStep.Caption, Assert.Single(article.Notes).Step);
    }

    [Fact]
    public async Task Figure_without_search_results_is_dropped()
    {
        Article article = await ComposeAsync(ScriptedCompositionModel.Of(Text, "<Seg1>, <Seg2>"), Request(), CompositionPictures.Shelf(1));
        Assert.Equal([false, true, false, false], article.Sections.Select(section => section.Figure is not null));
        Assert.Equal(new ArticleNote(CompositionStep.Search, NoteCause.Pictures, "figure after section 3: shelf has no picture for \"a picture\""), Assert.Single(article.Notes));
        article = await ComposeAsync(ScriptedCompositionModel.Of(Text, "<Seg1>, <Seg2>"), Request(), CompositionPictures.Shelf(0));
        Assert.Equal(2, article.Notes.Count);
        Assert.DoesNotContain(article.Sections, section => section.Figure is not null);
    }

    [Fact]
    public async Task Damaged_picture_is_skipped_with_a_note()
    {
        ShelfSource shelf = new(CompositionPictures.Found(0), new ImageCandidate("bad", "bad.png", null, CompositionPictures.Bytes(1).AsMemory(0, 60)), CompositionPictures.Found(2));
        Article article = await ComposeAsync(ScriptedCompositionModel.Of(Text, "<Seg1>"), Request(), new PictureSource("shelf", shelf));
        Assert.Equal(["0.png", "2.png"], article.Sections[1].Figure!.Candidates.Select(picture => picture.Name));
        ArticleNote note = Assert.Single(article.Notes);
        Assert.Equal((CompositionStep.Search, NoteCause.Pictures), (note.Step, note.Cause));
        Assert.StartsWith("figure after section 2: a picture was skipped: bad.png: ", note.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failing_source_loses_only_its_figure()
    {
        Article article = await ComposeAsync(ScriptedCompositionModel.Of(Text, "<Seg1>"), Request(), new PictureSource("far", new FailingSource()));
        Assert.Equal("figure after section 2: the line is dead", Assert.Single(article.Notes).Text);
        Assert.Equal(4, article.Sections.Count);
    }

    [Fact]
    public async Task Surplus_and_repeated_search_results_are_dropped()
    {
        Article article = await ComposeAsync(ScriptedCompositionModel.Of(Text, "<Seg1>, <Seg2>", choice: "A"), Request(), new PictureSource("greedy", new RepeatingSource()));
        Assert.Equal(["0.png"], article.Sections[1].Figure!.Candidates.Select(picture => picture.Name));
        Assert.Null(article.Sections[2].Figure);
    }

    [Fact]
    public async Task Text_only_article_sends_one_prompt()
    {
        ScriptedCompositionModel model = ScriptedCompositionModel.Of(Text, "<Seg1>");
        await ComposeAsync(model, Request() with { Figures = 0 }, CompositionPictures.Shelf(5));
        await ComposeAsync(model, Request(), null);
        Assert.Equal(2, model.Asked.Count);
    }

    [Fact]
    public async Task Article_is_limited_to_sixty_sections()
    {
        Article article = await ComposeAsync(ScriptedCompositionModel.Of(string.Join("\n\n", Enumerable.Range(1, 61)), "<Seg59>, <Seg60>"), Request(), CompositionPictures.Shelf(5));
        Assert.Equal(60, article.Sections.Count);
        Assert.NotNull(article.Sections[59].Figure!.Picture);
        Assert.Equal([NoteCause.Limit, NoteCause.Model], article.Notes.Select(note => note.Cause));
        Assert.Equal("the model wrote 61 sections; 1 after the first 60 were dropped", article.Notes[0].Text);
    }

    [Fact]
    public async Task Article_that_exceeds_the_context_keeps_its_text()
    {
        ScriptedCompositionModel model = new(_ => string.Join('\n', Enumerable.Range(0, 40).Select(_ => "text"))) { ContextLength = 400 };
        Article article = await ComposeAsync(model, Request(), CompositionPictures.Shelf(5));
        Assert.Equal(40, article.Sections.Count);
        Assert.Matches("^no figures: the article is too long to choose their places \\(the prompt has [0-9]+ tokens, the context is 400 tokens\\)$", Assert.Single(article.Notes).Text);
    }

    [Fact]
    public async Task Choice_that_exceeds_the_context_takes_the_first_candidate()
    {
        ScriptedCompositionModel answers = ScriptedCompositionModel.Of(Text, "<Seg1>");
        ScriptedCompositionModel model = new(prompt => prompt.AnswerPrefix switch { "" => Text, "适合插入图像的行是" => "<Seg1>", _ => "caption\"" }) { ContextLength = 180 };
        Article article = await ComposeAsync(model, Request(), CompositionPictures.Shelf(5));
        Assert.Equal("0.png", article.Sections[1].Figure!.Picture!.Name);
        Assert.StartsWith("figure after section 2: the first candidate is used; the article is too long to ask the model", Assert.Single(article.Notes).Text, StringComparison.Ordinal);
        Assert.Empty(answers.Asked);
    }

    [Fact]
    public async Task Truncated_text_is_noted()
    {
        ScriptedCompositionModel model = new(_ => "half a sent") { FinishReason = FinishReason.Length };
        Article article = await ComposeAsync(model, Request(), null);
        Assert.Equal((CompositionStep.Write, NoteCause.Limit), (article.Notes[0].Step, article.Notes[0].Cause));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n ")]
    public async Task Empty_answer_is_an_error(string text) =>
        Assert.Equal("the model returned no text; another seed may help", (await Assert.ThrowsAsync<EngineException>(() => ComposeAsync(ScriptedCompositionModel.Of(text, ""), Request(), null))).Message);

    [Fact]
    public async Task Requests_out_of_range_are_rejected()
    {
        ArticlePicture[] eleven = [.. Enumerable.Range(0, 11).Select(_ => CompositionPictures.Own(0))];
        (ArticleRequest, string)[] bad =
        [
            (Request() with { Instruction = " " }, "instruction: expected a text, found an empty text"),
            (Request(eleven), "own pictures: expected at most 10, found 11"),
            (Request() with { Figures = 61 }, "figures: expected 0 to 60, found 61"),
        ];
        foreach ((ArticleRequest request, string message) in bad)
            Assert.Equal(message, (await Assert.ThrowsAsync<EngineException>(() => ComposeAsync(ScriptedCompositionModel.Of(Text, ""), request, null))).Message);
        Assert.Throws<EngineException>(() => new ArticleComposer(ScriptedCompositionModel.Of(Text, ""), new ComposerOptions { Candidates = 11 }));
    }

    [Fact]
    public async Task Cancellation_at_any_point_reports_the_article_so_far()
    {
        // Counts the pieces of a complete run, then cancels at each of them.
        int total = 0;
        await ComposeAsync(Counting(piece => total = piece), Request(), CompositionPictures.Shelf(6));
        var reached = new HashSet<CompositionStep>();
        for (int stop = 1; stop <= total; stop++)
        {
            using CancellationTokenSource source = new();
            int at = stop;
            using ArticleComposer composer = new(Counting(piece => { if (piece == at) source.Cancel(); }), null);
            Article? last = null;
            CompositionStep step = CompositionStep.Edit;
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                await foreach (CompositionEvent next in composer.ComposeAsync(Request(), CompositionPictures.Shelf(6), source.Token))
                {
                    last = (next as ArticleChanged)?.Article ?? last;
                    step = (next as StepStarted)?.Step ?? step;
                }
            });
            reached.Add(step);
            if (step != CompositionStep.Write)
                Assert.Equal(4, last!.Sections.Count);
            if (step == CompositionStep.Choose)
                Assert.Contains(last!.Sections, section => section.Figure is { Candidates.Count: > 0 });
        }

        Assert.Equal([CompositionStep.Write, CompositionStep.Place, CompositionStep.Caption, CompositionStep.Choose], reached.Order());

        static ScriptedCompositionModel Counting(Action<int> onPiece) =>
            new(prompt => prompt.AnswerPrefix switch { "" => Text, "适合插入图像的行是" => "<Seg1>, <Seg2>", "标题是\"" => "cap\"", _ => ": B" }) { OnPiece = onPiece };
    }

    private sealed class FailingSource : IImageSource
    {
        public ValueTask<IReadOnlyList<ImageCandidate>> SearchAsync(ImageQuery query, CancellationToken cancellationToken) => throw new ImageSourceException("the line is dead");
    }

    private sealed class RepeatingSource : IImageSource
    {
        public ValueTask<IReadOnlyList<ImageCandidate>> SearchAsync(ImageQuery query, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<ImageCandidate>>([.. Enumerable.Range(0, 50).Select(_ => CompositionPictures.Found(0))]);
    }
}
