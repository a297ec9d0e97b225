using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

public partial class ArticleMarkdownTests
{
    [Fact]
    public void Markdown_has_the_usual_form()
    {
        Article article = SampleArticle.Of() with
        {
            Title = "The park",
            Sections =
            [
                new("It has **two** things:"), new("- a circle"), new("- a square"), SampleArticle.Illustrated("1. first", "a *red* square", SampleArticle.Red), new("2. second"), new("### Origin of C#"), new("Text."),
            ],
        };
        Assert.Equal(
            $"""
            # The park

            It has **two** things:

            - a circle
            - a square

            1. first

            ![A red square](pictures/{SampleArticle.Red.FileName})

            *a red square*

            2. second

            ## Origin of C\#

            Text.

            """.ReplaceLineEndings("\n"),
            ArticleMarkdown.Render(article));
    }

    [Theory]
    [InlineData("中文**重点**后文", "中文**重点**后文")]
    [InlineData("中文**重点：**后文", "中文重点：后文")]
    [InlineData("**“引”**", "**“引”**")]
    [InlineData("snake_case and 2*3*4", "snake\\_case and 2\\*3\\*4")]
    [InlineData("2024. A year", "2024\\. A year")]
    [InlineData("a & b < c", "a \\& b \\< c")]
    public void Text_is_escaped(string text, string markdown) => Assert.Equal(markdown + "\n", ArticleMarkdown.Render(SampleArticle.Of(text)));

    [Fact]
    public void Hostile_text_never_becomes_markup_or_a_path()
    {
        foreach (string text in SampleArticle.Hostile)
        {
            ArticlePicture picture = ArticlePicture.Of(new("../../" + text, "../" + text, text, SampleArticle.Red.Bytes), text);
            string markdown = ArticleMarkdown.Render(SampleArticle.Of() with { Title = text, Sections = [new("begin"), SampleArticle.Illustrated(text, text, picture), new("**" + text + "**"), new("### " + text)] });
            string image = $"](pictures/{picture.FileName})";
            Assert.Equal(2, markdown.Split(image).Length);
            string rest = markdown.Replace("![", "", StringComparison.Ordinal).Replace(image, "", StringComparison.Ordinal);
            Assert.DoesNotMatch(Unescaped(), rest);
            Assert.DoesNotMatch(ForeignLine(), markdown);
            Assert.DoesNotContain('\0', markdown);
            Assert.DoesNotContain('\u001b', markdown);
        }
    }

    [Fact]
    public void Archive_is_complete_and_deterministic()
    {
        Article article = SampleArticle.Of() with { Sections = [SampleArticle.Illustrated("one", "", SampleArticle.Red), SampleArticle.Illustrated("two", "", SampleArticle.Red)] };
        byte[] first = Archive(article);
        Assert.Equal(first, Archive(article));
        using ZipArchive archive = new(new MemoryStream(first));
        Assert.Equal(["article.md", "article.html", $"pictures/{SampleArticle.Red.FileName}"], archive.Entries.Select(entry => entry.FullName));
        using MemoryStream picture = new();
        using (Stream content = archive.Entries[2].Open())
            content.CopyTo(picture);
        Assert.Equal(SampleArticle.Red.Bytes.ToArray(), picture.ToArray());
        using StreamReader text = new(archive.Entries[0].Open(), Encoding.UTF8);
        Assert.Equal(ArticleMarkdown.Render(article), text.ReadToEnd());
    }

    private static byte[] Archive(Article article)
    {
        using MemoryStream stream = new();
        ArticleArchive.Write(article, stream);
        return stream.ToArray();
    }

    // A markup character that is preceded by an even number of backslashes.
    [GeneratedRegex(@"(?<!\\)(\\\\)*[`\[\]<>~|$]")]
    private static partial Regex Unescaped();

    // Only headings, items, figures and plain text may begin a line.
    [GeneratedRegex(@"^([ \t]|=|\+|-(?! )|:|[0-9]{4,}[.)])", RegexOptions.Multiline)]
    private static partial Regex ForeignLine();
}
