using System.Globalization;
using System.Text.RegularExpressions;
using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>
/// Twenty articles and ten edits. A model that always answers correctly isolates the pipeline, which must then get every case right. Any
/// remaining error is due to the demo checkpoint or to the gallery search, and the report names which.
/// </summary>
public sealed partial class CompositionCasesTests(DemoEngine demo) : IClassFixture<DemoEngine>
{
    private static readonly CompositionCases cases = CompositionCases.Demo;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void There_are_twenty_articles_and_ten_edits() => Assert.Equal((20, 10, 48), (cases.Articles.Count, cases.Edits.Count, cases.Shown.Count));

    [Fact]
    public async Task Correct_answers_give_correct_articles()
    {
        PictureSource gallery = cases.Captioned();
        foreach (CompositionCase wanted in cases.Articles)
        {
            using ArticleComposer composer = new(RightModel(wanted), null);
            Article article = await composer.ComposeAsync(new ArticleRequest { Instruction = wanted.Instruction, Figures = wanted.Figures ?? ArticleRequest.AutomaticFigures, Seed = 1 }, gallery, Cancellation).ToArticleAsync(Cancellation);
            CaseJudge judge = new CaseJudge(wanted, article, cases.Shown).Run();
            Assert.Empty(judge.Misses);
            Assert.Equal((true, true, wanted.Objects.Count, wanted.Objects.Count), (judge.MentionsAll, judge.PlacesAreRight, judge.Figures, judge.RightPictures));
            Assert.Empty(article.Notes);
        }
    }

    /// <summary>
    /// Greedy; sampled as in the original; greedy with a rotated order of candidates, which measures the choice itself; and with one candidate, the
    /// best search result.
    /// </summary>
    [Theory]
    [InlineData("greedy")]
    [InlineData("sampled")]
    [InlineData("rotated")]
    [InlineData("single")]
    public async Task Demo_checkpoint_reaches_its_article_scores(string kind)
    {
        using TemporaryGallery folder = new(CompositionCases.GalleryFolder);
        IImageSource pictureSource = await FolderImageSource.OpenAsync(folder.Path, new EnginePictureModel(demo.Engine), cancellationToken: Cancellation);
        PictureSource gallery = new("gallery", kind == "rotated" ? new RotatedSource(pictureSource) : pictureSource);
        using ArticleComposer composer = new(demo.Engine, kind == "sampled" ? null : new ComposerOptions
        {
            Sampling = new ComposerOptions().Sampling with { Greedy = true },
            Candidates = kind == "single" ? 1 : new ComposerOptions().Candidates,
        });
        int mention = 0, places = 0, figures = 0, pictures = 0, failed = 0;
        foreach ((int number, CompositionCase wanted) in cases.Articles.Index())
        {
            Article article = await composer.ComposeAsync(new ArticleRequest { Instruction = wanted.Instruction, Figures = wanted.Figures ?? ArticleRequest.AutomaticFigures, Seed = 8909 + (ulong)number }, gallery, Cancellation).ToArticleAsync(Cancellation);
            CaseJudge judge = new CaseJudge(wanted, article, cases.Shown).Run();
            mention += judge.MentionsAll ? 1 : 0;
            places += judge.PlacesAreRight ? 1 : 0;
            figures += judge.Figures;
            pictures += judge.RightPictures;
            failed += judge.Misses.Count(miss => !miss.StartsWith("model,", StringComparison.Ordinal));
            foreach (string miss in judge.Misses.Concat(article.Notes.Select(note => $"note: {note.Text}")))
                TestContext.Current.SendDiagnosticMessage("case {0}: {1}", number + 1, miss);
        }

        string counts = string.Create(CultureInfo.InvariantCulture, $"{kind}: {mention} of 20 mention every object, {places} of 20 have figures after the right sections, {pictures} of {figures} pictures are right; {failed} wrong because of the gallery search");
        TestContext.Current.SendDiagnosticMessage("{0}", counts);
        TestContext.Current.TestOutputHelper?.WriteLine(counts);
        Assert.True(mention >= cases.Minimum[$"{kind}_mention"] && places >= cases.Minimum[$"{kind}_places"] && pictures >= cases.Minimum[$"{kind}_pictures"], counts);
    }

    [Fact]
    public async Task Demo_checkpoint_reaches_its_edit_scores()
    {
        using ArticleComposer composer = new(demo.Engine, new ComposerOptions { Sampling = new ComposerOptions().Sampling with { Greedy = true } });
        int right = 0;
        foreach ((int number, EditCase wanted) in cases.Edits.Index())
        {
            Article before = CompositionPictures.Article([.. wanted.Sections]);
            Article after = await composer.EditAsync(before, wanted.Section, wanted.Edit, wanted.Instruction, 8909, Cancellation).ToArticleAsync(Cancellation);
            bool inserts = wanted.Edit is SectionEdit.InsertAfter or SectionEdit.InsertBefore;
            int at = wanted.Edit == SectionEdit.InsertAfter ? wanted.Section + 1 : wanted.Section;

            // The pipeline's part must hold for any answer.
            Assert.Equal(wanted.Sections.Count + (inserts ? 1 : 0), after.Sections.Count);
            Assert.Equal(wanted.Sections.Where((_, index) => inserts || index != at), after.Sections.Where((_, index) => index != at).Select(section => section.Text));
            string text = after.Sections[at].Text, old = wanted.Sections[wanted.Section];
            bool isRight = text.Contains(wanted.Mentions, StringComparison.Ordinal)
                && (wanted.Edit != SectionEdit.Abbreviate || text.Length < old.Length) && (wanted.Edit != SectionEdit.Expand || text.Length > old.Length);
            right += isRight ? 1 : 0;
            if (!isRight)
                TestContext.Current.SendDiagnosticMessage("edit {0}, model, {1}: \"{2}\" does not do for {3}", number + 1, wanted.Edit, text, wanted.Mentions);
        }

        TestContext.Current.SendDiagnosticMessage("edits: {0} of 10 are right", right);
        Assert.True(right >= cases.Minimum["edits"], $"{right} of 10 edits are right");
    }

    private static ScriptedCompositionModel RightModel(CompositionCase wanted)
    {
        string[] sections = ["Beginning.", .. wanted.Objects.Select(thing => $"This is about {thing}, and nothing else."), "End."];
        return new ScriptedCompositionModel(prompt =>
        {
            if (prompt.AnswerPrefix.Length == 0)
                return string.Join('\n', sections);
            if (prompt.AnswerPrefix == "适合插入图像的行是")
                return string.Join(", ", wanted.Objects.Select((_, index) => $"<Seg{index + 1}>")) + ".";
            if (prompt.AnswerPrefix == "标题是\"")
                return wanted.Objects[int.Parse(AskedPlace().Match(prompt.Text).Groups[1].Value, CultureInfo.InvariantCulture) - 1] + "\"。";

            // The last object in the shown text is the one to illustrate.
            string thing = wanted.Objects.Last(one => prompt.Text.Contains(one, StringComparison.Ordinal));
            int candidates = prompt.Text.Split("候选图像包括: ")[1].Split("<ImageHere>").Length - 1;
            int right = prompt.Pictures.TakeLast(candidates).ToList().FindIndex(picture => cases.Shown[picture.Name].Contains(thing));
            return $": {"ABCD"[right]}";
        });
    }

    [GeneratedRegex("给出适合在<Seg([0-9]+)>后插入")]
    private static partial Regex AskedPlace();
}
