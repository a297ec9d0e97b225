using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

public class ArticleLayoutTests
{
    [Fact]
    public void First_heading_becomes_the_title_and_others_rank_below()
    {
        ArticleLayout layout = ArticleLayout.Of(SampleArticle.Of("# The **park**", "### Origin ###", "Text.", "##### Depth", "###### More", "#no heading", "---", "  "));
        Assert.Equal("The park", layout.Title);
        Assert.Equal(["Heading 2 Origin", "Paragraph 0 Text.", "Heading 4 Depth", "Heading 4 More", "Paragraph 0 #no heading"], layout.Blocks.Select(Describe));
    }

    [Fact]
    public void Explicit_title_is_used_and_not_repeated()
    {
        Article article = SampleArticle.Of("## 起源与发展", "文字。");
        Assert.Equal(2, ArticleLayout.Of(article with { Title = "水墨画" }).Blocks.Count);
        Assert.Equal("水墨画", ArticleLayout.Of(article with { Title = "水墨画" }).Title);
        Assert.Single(ArticleLayout.Of(article with { Title = " 起源与发展\n" }).Blocks);
        Assert.Equal("", ArticleLayout.Of(SampleArticle.Of("Text alone.")).Title);
        Assert.Empty(ArticleLayout.Of(SampleArticle.Of()).Blocks);
    }

    [Theory]
    [InlineData("- one", "Bullet 0 one")]
    [InlineData("* one", "Bullet 0 one")]
    [InlineData("•one", "Bullet 0 one")]
    [InlineData("1. one", "Numbered 1 one")]
    [InlineData("12) one", "Numbered 12 one")]
    [InlineData("3、一", "Numbered 3 一")]
    [InlineData("1.5 million", "Paragraph 0 1.5 million")]
    [InlineData("2024. A year", "Paragraph 0 2024. A year")]
    [InlineData("-5 degrees", "Paragraph 0 -5 degrees")]
    [InlineData("**strong** start", "Paragraph 0 strong start")]
    public void List_items_are_distinguished_from_numbers(string text, string block) => Assert.Equal(block, Describe(Assert.Single(ArticleLayout.Of(SampleArticle.Of(text)).Blocks)));

    [Theory]
    [InlineData("a **b** c", "a |S:b| c")]
    [InlineData("*b* c", "L:b| c")]
    [InlineData("***b*** c", "S:b| c")]
    [InlineData("中文**重点：**后文*轻*文", "中文|S:重点：|后文|L:轻|文")]
    [InlineData("2*3*4 and 2 * 3 * 4", "2*3*4 and 2 * 3 * 4")]
    [InlineData("a ** b ** c", "a ** b ** c")]
    [InlineData("**open", "**open")]
    [InlineData("open**", "open**")]
    [InlineData("****", "****")]
    [InlineData("*", "*")]
    [InlineData("_a_ `b` [c](d) <e>", "_a_ `b` [c](d) <e>")]
    public void Only_emphasis_becomes_markup(string text, string spans) =>
        Assert.Equal(spans, string.Join('|', EmphasisReader.Read(text).Select(span => (span.Emphasis switch { TextEmphasis.Strong => "S:", TextEmphasis.Light => "L:", _ => "" }) + span.Text)));

    [Fact]
    public void Long_lines_of_marks_are_parsed_in_linear_time()
    {
        foreach (string piece in new[] { "*a ", "** ", "**a", "*", "# ", "#a #", "1. ", "- ", "***a" })
            Assert.NotNull(ArticleLayout.Of(SampleArticle.Of("x" + string.Concat(Enumerable.Repeat(piece, 100_000)), string.Concat(Enumerable.Repeat(piece, 100_000)))));
    }

    [Theory]
    [InlineData("The park has a red circle.", "en")]
    [InlineData("公园里有一个红色的圆形。", "zh-Hans")]
    [InlineData("The word 公园 means park.", "en")]
    [InlineData("模型 InternLM 写了这篇文章。", "zh-Hans")]
    [InlineData("公園には赤い丸があります。", "ja")]
    [InlineData("공원에 빨간 원이 있습니다.", "ko")]
    [InlineData("12 34", null)]
    public void Language_is_detected_from_the_script(string text, string? language) => Assert.Equal(language, TextLanguage.Of(text));

    [Fact]
    public void Figures_without_a_picture_are_not_shown()
    {
        Article article = SampleArticle.Of("one") with { Sections = [new("one", new ArticleFigure { Caption = "c" }), SampleArticle.Illustrated("two", "the *red* one", SampleArticle.Red)] };
        Assert.Equal(["Paragraph 0 one", "Paragraph 0 two", "Figure 0 the red one"], ArticleLayout.Of(article).Blocks.Select(Describe));
    }

    private static string Describe(ArticleBlock block) => $"{block.Kind} {block.Level} {block.PlainText}";
}
