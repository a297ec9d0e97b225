using XComposer2.Native.Composition;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The pipeline on the demo checkpoint: results and reuse of computations.</summary>
public sealed class CompositionEngineTests(DemoEngine demo) : IClassFixture<DemoEngine>
{
    private static readonly ComposerOptions Greedy = new() { Sampling = new GenerationOptions { Greedy = true, RepetitionPenalty = 1 } };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static ArticlePicture Picture(string thing) => ArticlePicture.Own(
        thing + ".png", File.ReadAllBytes(Path.Combine(CompositionCases.GalleryFolder, CompositionCases.Demo.Shown.First(picture => picture.Value.Contains(thing)).Key)));

    private static async Task<GenerationResult> AskAsync(EngineCompositionModel model, CompositionPrompt prompt)
    {
        GenerationResult? result = null;
        await foreach (GenerationEvent next in model.AnswerAsync(prompt, Greedy.Sampling with { MaxTokens = 40 }, Cancellation))
            result = (next as GenerationCompleted)?.Result ?? result;
        return result!;
    }

    [Fact]
    public async Task Answer_continues_its_prefix()
    {
        GenerationOptions options = Greedy.Sampling with { MaxTokens = 60 };
        ImageInput picture = ImageInput.FromFile(TestPaths.Repository("tools/demo/pictures/shapes-1.png"));
        using ChatSession session = demo.Engine.CreateSession();
        GenerationResult whole = await session.AskAsync(new UserMessage("Describe this image.", [picture]), options);
        GenerationResult next = await session.AskAsync(new UserMessage("How many shapes are there?"), options);
        const string Said = "The image shows";
        Assert.StartsWith(Said, whole.Text, StringComparison.Ordinal);

        session.Reset();
        GenerationResult rest = await session.AskAsync(new UserMessage("Describe this image.", [picture]) { AnswerPrefix = Said }, options);
        Assert.Equal(whole.Text[Said.Length..], rest.Text);

        // The next turn sees the whole answer: same positions, same text.
        GenerationResult again = await session.AskAsync(new UserMessage("How many shapes are there?"), options);
        Assert.Equal((next.Text, next.Usage.PromptTokens), (again.Text, again.Usage.PromptTokens));
    }

    [Fact]
    public async Task Prompts_are_independent_and_measured_correctly()
    {
        using EngineCompositionModel model = new(demo.Engine, hasMeta: false);
        Article article = CompositionPictures.Article("Welcome to the park of shapes.", "Nobody forgets the red circle.", "We will come back soon.");
        CompositionPrompt[] prompts =
        [
            CompositionPrompts.Place(article.Sections, [], 1), CompositionPrompts.Caption(article.Sections, 1, []),
            CompositionPrompts.Choose(article.Sections, 1, [Picture("red circle"), Picture("blue square")]), CompositionPrompts.Edit(article.Sections, 1, SectionEdit.Abbreviate, ""),
        ];
        foreach (CompositionPrompt prompt in prompts)
        {
            GenerationResult asked = await AskAsync(model, prompt);
            await demo.Engine.ForgetPrefixesAsync();
            using EngineCompositionModel fresh = new(demo.Engine, hasMeta: false);
            GenerationResult alone = await AskAsync(fresh, prompt);
            Assert.Equal(alone.TokenIds, asked.TokenIds);
            Assert.Equal((model.Measure(prompt), 0), (asked.Usage.PromptTokens, alone.Usage.CachedTokens));
            Assert.Equal(prompt.Pictures.Count * demo.Engine.Info.TokensPerImage, asked.Usage.ImageTokens);
        }

        Assert.Equal("<Seg1>", (await AskAsync(model, prompts[0])).Text);
        Assert.Equal("a red circle\"", (await AskAsync(model, prompts[1])).Text);
    }

    [Fact]
    public async Task Meta_precedes_every_prompt_with_the_system_text()
    {
        using EngineCompositionModel plain = new(demo.Engine, hasMeta: false), model = new(demo.Engine, hasMeta: true);
        CompositionPrompt prompt = CompositionPrompts.Write("Write about tea.", []);
        int system = demo.Engine.Tokenizer.Encode($"[UNUSED_TOKEN_146]system\n{SystemTexts.Composition}\n[UNUSED_TOKEN_145]\n").Count;
        Assert.Equal(plain.Measure(prompt) + system, model.Measure(prompt));
        Assert.Equal(model.Measure(prompt), (await AskAsync(model, prompt)).Usage.PromptTokens);
    }

    [Fact]
    public async Task Shared_prefixes_and_pictures_are_computed_once()
    {
        using EngineCompositionModel model = new(demo.Engine, hasMeta: false);
        ArticlePicture circle = Picture("red circle"), square = Picture("blue square"), star = Picture("green star");
        Article article = CompositionPictures.Article("Welcome.", "Nobody forgets the red circle.", "Nobody forgets the blue square.");
        await AskAsync(model, CompositionPrompts.Choose(article.Sections, 1, [circle, square]));
        article = article.WithFigure(1, new ArticleFigure { Candidates = [circle], ChosenIndex = 0 });

        GenerationResult second = await AskAsync(model, CompositionPrompts.Choose(article.Sections, 2, [square, star]));
        CompositionPrompt shared = CompositionPrompts.Choose([.. article.Sections.Take(2)], 1, []);
        Assert.InRange(second.Usage.CachedTokens, 20, model.Measure(shared));
        GenerationResult third = await AskAsync(model, CompositionPrompts.Choose(article.Sections, 2, [square, star]));
        Assert.Equal((TimeSpan.Zero, TimeSpan.Zero), (third.Timings.Vision, third.Timings.ImageDecode));
        Assert.Equal(third.Usage.PromptTokens - 1, third.Usage.CachedTokens);
        Assert.Equal(second.TokenIds, third.TokenIds);
    }

    [Fact]
    public async Task Same_seed_gives_the_same_article_and_another_seed_another()
    {
        using ArticleComposer composer = new(demo.Engine);
        PictureSource gallery = CompositionCases.Demo.Captioned();
        ArticleRequest request = new() { Instruction = CompositionCases.Demo.Articles[2].Instruction, Seed = 11 };
        Article first = await composer.ComposeAsync(request, gallery, Cancellation).ToArticleAsync(Cancellation);
        Article again = await composer.ComposeAsync(request, gallery, Cancellation).ToArticleAsync(Cancellation);
        Article other = await composer.ComposeAsync(request with { Seed = 12 }, gallery, Cancellation).ToArticleAsync(Cancellation);
        Assert.Equal(Describe(first), Describe(again));
        Assert.NotEqual(first.Sections.Select(section => section.Text), other.Sections.Select(section => section.Text));
        Assert.Equal(3, first.FigurePlaces().Length);

        // A single repeated step with its seed equals that step of the whole.
        Article figures = await composer.IllustrateAsync(first, gallery, 11, Cancellation).ToArticleAsync(Cancellation);
        Assert.Equal(Describe(first), Describe(figures));

        static string Describe(Article article) => string.Join('\n', article.Sections.Select(section => $"{section.Text} {section.Figure?.Caption} {section.Figure?.Picture?.Name}"));
    }

    [Theory]
    [InlineData("park", "red circle", "blue square")]
    [InlineData("market", "yellow triangle", null)]
    public async Task Article_is_written_and_illustrated_from_own_pictures(string place, string first, string? second)
    {
        using ArticleComposer composer = new(demo.Engine, Greedy);
        ArticlePicture[] own = second is null ? [Picture(first)] : [Picture(first), Picture(second)];
        Article article = await composer.ComposeAsync(
            new ArticleRequest { Instruction = $"Write a short article about the {place} based on the images.", OwnPictures = own, Seed = 1 }, null, Cancellation).ToArticleAsync(Cancellation);
        Assert.Equal(own.Length, article.FigurePlaces().Length);
        Assert.Equal(own.Select(picture => picture.FileName).Order(), article.Sections.Where(section => section.Figure is not null).Select(section => section.Figure!.Picture!.FileName).Order());
        Assert.Equal(own.Length + 2, article.Sections.Count);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', article.Sections.Select(section => $"{section.Text} [{section.Figure?.Picture?.Name}]")));
    }

    [Fact]
    public async Task Long_article_is_rejected_without_truncating_a_prompt()
    {
        using XComposerEngine small = await DemoEngine.LoadAsync(context: 300);
        using ArticleComposer composer = new(small, Greedy);
        Article article = CompositionPictures.Article([.. Enumerable.Repeat("Nobody forgets the red circle. Everyone likes the red circle very much.", 60)]);
        Article placed = await composer.PlaceAsync(article, 3, 1, Cancellation).ToArticleAsync(Cancellation);
        Assert.Matches("^no figures: the article is too long to choose their places \\(the prompt has [0-9]{4} tokens, the context is 300 tokens\\)$", Assert.Single(placed.Notes).Text);
        Assert.Equal(60, placed.Sections.Count);
    }

    [Fact]
    public async Task Composer_works_after_cancellation_at_any_step()
    {
        using ArticleComposer composer = new(demo.Engine, Greedy);
        PictureSource gallery = CompositionCases.Demo.Captioned();
        ArticleRequest request = new() { Instruction = CompositionCases.Demo.Articles[0].Instruction, Seed = 1 };
        Article whole = await composer.ComposeAsync(request, gallery, Cancellation).ToArticleAsync(Cancellation);
        foreach (CompositionStep step in (CompositionStep[])[CompositionStep.Write, CompositionStep.Place, CompositionStep.Caption, CompositionStep.Search, CompositionStep.Choose])
        {
            using CancellationTokenSource source = new();
            Article? last = null;
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                await foreach (CompositionEvent next in composer.ComposeAsync(request, gallery, source.Token))
                {
                    last = (next as ArticleChanged)?.Article ?? last;
                    if (next is StepStarted started && started.Step == step)
                        await source.CancelAsync();
                }
            });
            Assert.Equal(step == CompositionStep.Write, last is null);
            Article again = await composer.ComposeAsync(request, gallery, Cancellation).ToArticleAsync(Cancellation);
            Assert.Equal(whole.Sections.Select(section => (section.Text, section.Figure?.Picture?.Name)), again.Sections.Select(section => (section.Text, section.Figure?.Picture?.Name)));
        }
    }

    [Fact]
    public void Composition_checkpoint_uses_224_pixels_and_256_positions()
    {
        ModelConfig config = ModelPresets.Find(ModelPresets.Composition7B);
        Assert.Equal((224, 256), (config.ImageSize, config.TokensPerImage));
        Assert.Equal((84, 36), (demo.Engine.Config.ImageSize, demo.Engine.Info.TokensPerImage));
    }
}
