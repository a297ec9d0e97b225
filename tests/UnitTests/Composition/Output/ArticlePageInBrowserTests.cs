using XComposer2.Native.Composition;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public class ArticlePageInBrowserTests
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

    private static int Count(RgbImage image, byte red, byte green, byte blue)
    {
        int count = 0;
        ReadOnlySpan<byte> pixels = image.Pixels.Span;
        for (int index = 0; index < pixels.Length; index += 3)
            count += pixels[index] == red && pixels[index + 1] == green && pixels[index + 2] == blue ? 1 : 0;
        return count;
    }
}
