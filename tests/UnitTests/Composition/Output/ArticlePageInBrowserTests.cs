using System.Text;
using System.Text.RegularExpressions;
using XComposer2.Native.Composition;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public partial class ArticlePageInBrowserTests
{
    private static readonly Article article = SampleArticle.Of() with
    {
        Title = "The park",
        Sections =
        [
            SampleArticle.Illustrated("One.", "red", SampleArticle.Red),
            SampleArticle.Illustrated("Two.", "green", ArticlePicture.Own("g.png", TestPicture.Png(10, 250, 10, 64))),
            .. SampleArticle.Hostile.Select(text => new ArticleSection(text)),
        ],
    };

    [Fact]
    public async Task Pictures_are_displayed_without_console_messages()
    {
        (RgbImage seen, string log) = await Chromium.OpenAsync(ArticlePageTests.Render(article));
        Assert.DoesNotContain("CONSOLE", log, StringComparison.Ordinal);
        Assert.InRange(Count(seen, 250, 10, 10), 4000, 4096);
        Assert.InRange(Count(seen, 10, 250, 10), 4000, 4096);
        Assert.InRange(Count(seen, 0xFC, 0xFB, 0xF8), 500_000, 1_400_000);
    }

    [Fact]
    public async Task Scripts_and_external_resources_are_blocked_by_the_policy()
    {
        string page = ArticlePageTests.Render(article).Replace("<article>", "<article><script>document.body.remove()</script><p style=\"color:red\">x</p><img src=\"https://tracker.example/x.png\">", StringComparison.Ordinal);
        (RgbImage seen, string log) = await Chromium.OpenAsync(page);
        Assert.Equal(3, log.Split('\n').Count(line => line.Contains("CONSOLE", StringComparison.Ordinal) && line.Contains("Content Security Policy", StringComparison.Ordinal)));
        Assert.InRange(Count(seen, 250, 10, 10), 4000, 4096);
    }

    [Fact]
    public async Task Missing_picture_is_detected()
    {
        string page = ArticlePageTests.Render(article).Replace("base64,iVBOR", "base64,iVBOX", StringComparison.Ordinal);
        (RgbImage seen, _) = await Chromium.OpenAsync(page);
        Assert.Equal(0, Count(seen, 250, 10, 10));
    }

    [Fact]
    public async Task Page_is_dark_in_dark_mode()
    {
        (RgbImage seen, string log) = await Chromium.OpenAsync(ArticlePageTests.Render(article), isDark: true);
        Assert.DoesNotContain("CONSOLE", log, StringComparison.Ordinal);
        Assert.InRange(Count(seen, 0x17, 0x17, 0x1A), 500_000, 1_400_000);
        Assert.InRange(Count(seen, 250, 10, 10), 4000, 4096);
    }

    /// <summary>Pictures of several shapes, some of them taller than a page, among text.</summary>
    [Fact]
    public async Task Printed_pages_cut_no_picture()
    {
        const string Paragraph = "A walk through the park takes an hour, and most visitors begin at the southern gate, where plane trees throw their shade over the gravel.";
        (int Width, int Height)[] sizes = [(500, 1600), (1600, 900), (600, 600), (300, 2400), (1500, 1500)];
        Article printed = SampleArticle.Of() with
        {
            Title = "The park",
            Sections = [.. sizes.SelectMany((size, index) => (ArticleSection[])[
                new($"## Part {index}"), new(Paragraph), SampleArticle.Illustrated(Paragraph, "a caption", ArticlePicture.Own($"{index}.jpg", JpegEncoder.Encode(TestPhoto.Of(size.Width, size.Height))))])],
        };
        string pdf = await Chromium.PrintAsync(ArticlePageTests.Render(printed));
        string[] pictures = [.. PdfImage().Matches(pdf).Select(match => match.Groups[1].Value)];
        Assert.Equal(sizes.Length, pictures.Length);
        Assert.All(pictures, picture => Assert.Single(Regex.Matches(pdf, $@"/X[0-9]+ {picture} 0 R")));
        Assert.InRange(Regex.Count(pdf, @"/Type /Page\b"), 3, 6);
    }

    [Theory]
    [InlineData(false, 0xFC, 0xFB, 0xF8)]
    [InlineData(true, 0x17, 0x17, 0x1A)]
    public async Task Candidates_page_shows_the_pictures_of_its_folder(bool isDark, byte red, byte green, byte blue)
    {
        ArticlePicture other = ArticlePicture.Own("g.png", TestPicture.Png(10, 250, 10, 64));
        ArticleFigure figure = new() { Caption = "c", Candidates = [SampleArticle.Red, other], Scores = [new CandidateScore(1, 0.7f), new CandidateScore(2, 0.2f)], ChosenIndex = 0 };
        using MemoryStream page = new();
        CandidatesPage.Write(SampleArticle.Of() with { Sections = [new("text", figure)] }, page);
        (RgbImage seen, string log) = await Chromium.OpenAsync(
            Encoding.UTF8.GetString(page.ToArray()), isDark, [.. figure.Candidates.Select(picture => ($"pictures/{picture.FileName}", picture.Bytes))]);
        Assert.DoesNotContain("CONSOLE", log, StringComparison.Ordinal);
        Assert.InRange(Count(seen, 250, 10, 10), 4000, 4096);
        Assert.InRange(Count(seen, 10, 250, 10), 4000, 4096);
        Assert.InRange(Count(seen, red, green, blue), 500_000, 1_400_000);
    }

    [GeneratedRegex(@"(?<=\n)([0-9]+) 0 obj\s*<<\s*/Type /XObject\s*/Subtype /Image")]
    private static partial Regex PdfImage();

    private static int Count(RgbImage image, byte red, byte green, byte blue)
    {
        int count = 0;
        ReadOnlySpan<byte> pixels = image.Pixels.Span;
        for (int index = 0; index < pixels.Length; index += 3)
            count += pixels[index] == red && pixels[index + 1] == green && pixels[index + 2] == blue ? 1 : 0;
        return count;
    }
}
