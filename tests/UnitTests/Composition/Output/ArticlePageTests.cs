using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

public partial class ArticlePageTests
{
    [Fact]
    public void Page_embeds_pictures_with_captions()
    {
        string page = Render(SampleArticle.Of("# Title", "Lead.", "Text.") with { Model = "demo & co, torch .bin", Sections = [new("# Title"), SampleArticle.Illustrated("Lead.", "a *red* <square>", SampleArticle.Red), new("Text.")] });
        Assert.StartsWith("<!DOCTYPE html>\n<html lang=\"en\">\n", page, StringComparison.Ordinal);
        Assert.Contains("<h1>Title</h1>", page, StringComparison.Ordinal);
        Assert.Contains("<p class=\"lead\">Lead.</p>", page, StringComparison.Ordinal);
        Assert.Contains("<p>Text.</p>", page, StringComparison.Ordinal);
        Assert.Contains($"<img alt=\"A red square\" width=\"64\" height=\"64\" src=\"data:image/png;base64,{Convert.ToBase64String(SampleArticle.Red.Bytes.Span)}\"></div>", page, StringComparison.Ordinal);
        Assert.Contains("<figcaption>a <em>red</em> &lt;square&gt;</figcaption>", page, StringComparison.Ordinal);
        Assert.Contains("<p>Written and illustrated by demo &amp; co.</p>\n<p>Pictures from gallery.</p>", page, StringComparison.Ordinal);
        Assert.EndsWith("</html>\n", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Picture_larger_than_a_base64_piece_is_complete()
    {
        byte[] noise = new byte[100_000];
        new Random(1).NextBytes(noise);
        ArticlePicture picture = ArticlePicture.Own("large.png", TestPicture.Png(1, 2, 3, 8, ("noIs", noise)), options: new PictureOptions { KeepOriginals = true });
        Match data = Data().Match(Render(SampleArticle.Of() with { Sections = [SampleArticle.Illustrated("one", "", picture)] }));
        Assert.Equal(picture.Bytes.ToArray(), Convert.FromBase64String(data.Groups[1].Value));
    }

    [Fact]
    public void Every_figure_has_an_alternative_text()
    {
        byte[] file = SampleArticle.Red.Bytes.ToArray();
        ArticlePicture named = ArticlePicture.Own("red-rose.png", file), nameless = ArticlePicture.Own("IMG_0031.png", file);
        (ArticleFigure Figure, string Expected)[] figures =
        [
            (SampleArticle.Figure("a caption", SampleArticle.Red) with { AlternativeText = "by a person" }, "by a person"),
            (SampleArticle.Figure("a caption", SampleArticle.Red), "A red square"),
            (SampleArticle.Figure("a *caption*", named), "a caption"),
            (SampleArticle.Figure("", named), "red rose"),
            (SampleArticle.Figure("", nameless), "The text of the section."),
        ];
        foreach ((ArticleFigure figure, string expected) in figures)
        {
            Article article = SampleArticle.Of() with { Sections = [new("The text of the section.", figure)] };
            Assert.Contains($"<img alt=\"{expected}\"", Render(article), StringComparison.Ordinal);
            Assert.Contains($"![{expected}](", ArticleMarkdown.Render(article), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Print_style_keeps_figures_and_headings_whole()
    {
        string print = PageStyle.Css[PageStyle.Css.IndexOf("@media print", StringComparison.Ordinal)..];
        foreach (string rule in (string[])["figure { break-inside: avoid;", "h1, h2, h3, h4 { break-after: avoid; break-inside: avoid; }", "figcaption { break-before: avoid;", "img { max-height: 15cm;", "p, li { orphans: 3; widows: 3; }", "counter(page)"])
            Assert.Contains(rule, print, StringComparison.Ordinal);
    }

    [Fact]
    public void Language_attributes_mark_language_changes()
    {
        Article chinese = SampleArticle.Of() with { Title = "水墨画", Model = "m", Sections = [new("流动的诗意与东方美学。"), SampleArticle.Illustrated("墨分五色。", "a pine tree in ink", SampleArticle.Red)] };
        string page = Render(chinese);
        Assert.Contains("<html lang=\"zh-Hans\">", page, StringComparison.Ordinal);
        Assert.Contains("<figcaption lang=\"en\">", page, StringComparison.Ordinal);
        Assert.Contains("<footer lang=\"zh-Hans\">", page, StringComparison.Ordinal);
        Assert.Contains("<p lang=\"zh-Hans\">", Render(SampleArticle.Of("An English beginning of some length.", "中文一段。")), StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_are_closed_and_numbering_continues_after_a_figure()
    {
        string page = Render(SampleArticle.Of() with { Sections = [new("- a"), new("- b"), new("1. c"), SampleArticle.Illustrated("2. d", "", SampleArticle.Red), new("3. e"), new("### f")] });
        Assert.Contains("<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<ol>\n<li>c</li>\n<li>d</li>\n</ol>\n<figure", page, StringComparison.Ordinal);
        Assert.Contains("</figure>\n<ol start=\"3\">\n<li>e</li>\n</ol>\n<h2>f</h2>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Policy_allows_only_the_style_sheet_of_the_page()
    {
        string page = Render(SampleArticle.Of("Text."));
        string style = Regex.Match(page, "<style>(.*)</style>", RegexOptions.Singleline).Groups[1].Value;
        string policy = Regex.Match(page, "Content-Security-Policy\" content=\"([^\"]*)\"").Groups[1].Value;
        Assert.Equal(
            $"default-src 'none'; img-src data:; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)))}'; base-uri 'none'; form-action 'none'", policy);
        Assert.DoesNotContain("url(", style, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", style, StringComparison.Ordinal);
        Assert.True(page.IndexOf("Content-Security-Policy", StringComparison.Ordinal) < page.IndexOf("<style>", StringComparison.Ordinal));
    }

    [Fact]
    public void Hostile_text_never_becomes_markup()
    {
        foreach (string text in SampleArticle.Hostile)
        {
            ArticlePicture picture = ArticlePicture.Of(new(text, text, text, SampleArticle.Red.Bytes), text);
            Article article = SampleArticle.Of() with { Title = text, Model = text, Sections = [new("begin"), SampleArticle.Illustrated(text, text, picture), new("**" + text + "**"), new("### " + text)] };
            string body = Render(article);
            body = body[body.IndexOf("</style>", StringComparison.Ordinal)..];
            // For any text, tags and attributes must equal those of the same article with harmless texts.
            foreach (Match tag in Tag().Matches(body))
                Assert.Matches(OwnTag(), tag.Value);
            Assert.Equal(Tag().Count(body), body.Count(character => character == '<'));
            Assert.Equal(Tag().Count(body), body.Count(character => character == '>'));
            Assert.DoesNotContain('\0', body);
            Assert.DoesNotContain('\u001b', body);
        }
    }

    [Fact]
    public void Sixty_sections_and_an_empty_article_give_valid_pages()
    {
        Assert.Equal(60, Render(SampleArticle.Of([.. Enumerable.Range(0, 60).Select(number => $"Section {number}.")])).Split("<p").Length - 1);
        Assert.Contains("<article>\n</article>", Render(SampleArticle.Of()), StringComparison.Ordinal);
    }

    internal static string Render(Article article)
    {
        using MemoryStream stream = new();
        ArticlePage.Write(article, stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    [GeneratedRegex("base64,([^\"]*)\"")]
    private static partial Regex Data();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();

    [GeneratedRegex("""^</?(html|head|style|body|main|header|article|figure|div|figcaption|footer|ul|li|ol|p|h[1-4]|strong|em)( lang="(en|zh-Hans)")?>$|^<(p class="lead"|figure class="small"|div class="plate")( lang="en")?>$|^<ol start="[0-9]+">$|^<img alt="[^"]*" width="64" height="64" src="data:image/png;base64,[A-Za-z0-9+/=]*">$""")]
    private static partial Regex OwnTag();
}
