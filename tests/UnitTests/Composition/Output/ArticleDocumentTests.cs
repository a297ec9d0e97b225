using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Validation;
using DocumentFormat.OpenXml.Wordprocessing;
using XComposer2.Native.Composition;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Documents are read and validated by the Open XML SDK.</summary>
public class ArticleDocumentTests
{
    [Fact]
    public void Document_has_styles_lists_emphasis_pictures_and_captions()
    {
        ArticlePicture photo = ArticlePicture.Own("pond.jpg", TestPhoto.Phone(1600, 800));
        Article article = SampleArticle.Of() with
        {
            Title = "The park",
            Sections =
            [
                new("Lead with **strong** and *light* text."), new("## Shapes"), new("- one"), new("- two"), new("3. three"), new("4. four"), new("text"), new("1. again"), new("### Deeper"),
                SampleArticle.Illustrated("A photograph.", "the *caption*", photo), SampleArticle.Illustrated("The same.", "", photo),
            ],
        };
        using WordprocessingDocument document = Open(Render(article));
        Body body = document.MainDocumentPart!.Document!.Body!;
        (string? Style, string Text)[] paragraphs = [.. body.Elements<Paragraph>().Select(paragraph => (paragraph.ParagraphProperties?.ParagraphStyleId?.Val?.Value, paragraph.InnerText))];
        Assert.Equal(
            [
                ("Title", "The park"), (null, "Lead with strong and light text."), ("Heading1", "Shapes"), ("ListParagraph", "one"), ("ListParagraph", "two"), ("ListParagraph", "three"), ("ListParagraph", "four"),
                (null, "text"), ("ListParagraph", "again"), ("Heading2", "Deeper"), (null, "A photograph."), ("Figure", ""), ("Caption", "the caption"), (null, "The same."), ("LastFigure", ""),
            ],
            paragraphs);
        Assert.Equal(["1", "1", "2", "2", "3"], body.Descendants<NumberingId>().Select(number => number.Val!.Value.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal([1, 3, 1], document.MainDocumentPart.NumberingDefinitionsPart!.Numbering!.Descendants<StartNumberingValue>().Select(start => start.Val!.Value));
        Assert.Equal(["strong"], body.Descendants<Run>().Where(run => run.RunProperties?.Bold is not null).Select(run => run.InnerText));
        Assert.Equal(["light", "caption"], body.Descendants<Run>().Where(run => run.RunProperties?.Italic is not null).Select(run => run.InnerText));

        ImagePart picture = Assert.Single(document.MainDocumentPart.ImageParts);
        using MemoryStream bytes = new();
        using (Stream content = picture.GetStream())
            content.CopyTo(bytes);
        Assert.Equal(photo.Bytes.ToArray(), bytes.ToArray());
        var drawings = body.Descendants<DocumentFormat.OpenXml.Drawing.Wordprocessing.Inline>().ToArray();
        Assert.All(drawings, drawing => Assert.Equal((5_760_000, 2_880_000), (drawing.Extent!.Cx!.Value, drawing.Extent.Cy!.Value)));
        Assert.Equal(["the caption", "pond"], drawings.Select(drawing => drawing.DocProperties!.Description!.Value));
        Assert.Equal("The park", document.PackageProperties.Title);
    }

    [Fact]
    public void Documents_in_all_languages_and_with_hostile_texts_are_valid()
    {
        foreach (string text in SampleArticle.Hostile.Append("墨分五色。").Append("水墨画\uFFFF\uFFFE\u0001"))
        {
            ArticlePicture picture = ArticlePicture.Of(new(text, text, text, SampleArticle.Red.Bytes), text);
            Article article = SampleArticle.Of() with { Title = text, Sections = [SampleArticle.Illustrated(text, text, picture), new("**" + text + "**"), new("### " + text), new("- " + text)] };
            using WordprocessingDocument document = Open(Render(article));
            Assert.Empty(document.MainDocumentPart!.ExternalRelationships);
            Assert.Empty(document.MainDocumentPart.HyperlinkRelationships);
        }

        using WordprocessingDocument empty = Open(Render(SampleArticle.Of()));
        Assert.Empty(empty.MainDocumentPart!.Document!.Body!.Elements<Paragraph>());
    }

    /// <summary>Word processors do not all show WebP or apply the EXIF orientation.</summary>
    [Theory]
    [InlineData("webp-q80.webp", ".jpg")]
    [InlineData("webp-lossless-6.webp", ".png")]
    [InlineData("upright-6.jpg", ".jpg")]
    [InlineData("gif-plain.gif", ".gif")]
    [InlineData("bmp-rgb.bmp", ".bmp")]
    public void Pictures_have_formats_that_word_processors_read(string name, string extension)
    {
        PillowPicture file = PillowPicture.Read(name);
        ArticlePicture picture = ArticlePicture.Own(name, file.Bytes, options: new PictureOptions { KeepOriginals = true });
        using WordprocessingDocument document = Open(Render(SampleArticle.Of() with { Sections = [SampleArticle.Illustrated("text", "caption", picture)] }));
        ImagePart part = Assert.Single(document.MainDocumentPart!.ImageParts);
        Assert.EndsWith(extension, part.Uri.ToString(), StringComparison.Ordinal);
        using MemoryStream bytes = new();
        using (Stream content = part.GetStream())
            content.CopyTo(bytes);
        ImageHeader header = ImageHeader.Read(bytes.ToArray(), name), expected = ImageHeader.ReadUpright(file.Bytes, name);
        Assert.Equal((expected.Width, expected.Height, false), (header.Width, header.Height, ImageHeader.IsTurned(bytes.ToArray(), name)));
    }

    [Fact]
    public void Same_article_gives_the_same_bytes() =>
        Assert.Equal(Render(SampleArticle.Of("one", "- two")), Render(SampleArticle.Of("one", "- two")));

    private static byte[] Render(Article article)
    {
        using MemoryStream stream = new();
        ArticleDocument.Write(article, stream);
        return stream.ToArray();
    }

    private static WordprocessingDocument Open(byte[] file)
    {
        var document = WordprocessingDocument.Open(new MemoryStream(file), isEditable: false);
        string[] errors = [.. new OpenXmlValidator(FileFormatVersions.Office2019).Validate(document, TestContext.Current.CancellationToken).Select(error => $"{error.Part?.Uri} {error.Path?.XPath}: {error.Description}")];
        Assert.True(errors.Length == 0, string.Join('\n', errors));
        return document;
    }
}
