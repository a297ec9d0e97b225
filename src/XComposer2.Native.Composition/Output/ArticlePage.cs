using System.Text;
using XComposer2.Native.Model;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition;

/// <summary>
/// An article as one HTML page that needs nothing else: pictures lie in it, it runs no script and may load nothing. Texts are escaped; nothing in
/// them becomes markup but headings, lists and emphasis.
/// </summary>
public static class ArticlePage
{
    /// <summary>Usual name of the file.</summary>
    public const string FileName = "article.html";

    /// <summary>A picture that is narrower gets a plate to lie on; it would be lost on the page. Pixels.</summary>
    private const long SmallWidth = 480;

    /// <summary>A picture that is wider may reach over the column. Pixels.</summary>
    private const long WideWidth = 1200;

    private const int TitleFromTextLength = 60;

    // A multiple of three, so that pieces of base64 join without padding between them.
    private const int Base64PieceBytes = 48 << 10;

    /// <summary>Writes the page: UTF-8, lines end with a line feed.</summary>
    public static void Write(Article article, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentNullException.ThrowIfNull(stream);
        ArticleLayout layout = ArticleLayout.Of(article);
        using StreamWriter page = new(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\n" };
        WriteHead(page, layout);
        page.WriteLine("<body>\n<main>");
        if (layout.Title.Length > 0)
            page.WriteLine($"<header>\n<h1{LanguageOf(layout.Title, layout)}>{HtmlText.Escape(layout.Title)}</h1>\n</header>");
        page.WriteLine("<article>");
        WriteBlocks(page, layout);
        page.WriteLine("</article>");
        WriteFooter(page, article, layout);
        page.WriteLine("</main>\n</body>\n</html>");
    }

    private static void WriteHead(StreamWriter page, ArticleLayout layout)
    {
        string title = layout.Title.Length > 0 ? layout.Title : CaptionText.Clean(layout.Blocks is [{ } first, ..] ? first.PlainText : "", TitleFromTextLength);
        page.WriteLine("<!DOCTYPE html>");
        page.WriteLine($"<html lang=\"{layout.Language}\">\n<head>\n<meta charset=\"utf-8\">");
        page.WriteLine($"<meta http-equiv=\"Content-Security-Policy\" content=\"{PageStyle.ContentSecurityPolicy}\">");
        page.WriteLine("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        page.WriteLine("<meta name=\"referrer\" content=\"no-referrer\">");
        page.WriteLine($"<title>{HtmlText.Escape(title)}</title>");
        // Without it a browser asks the server for one.
        page.WriteLine("<link rel=\"icon\" href=\"data:,\">");
        page.WriteLine($"<style>{PageStyle.Css}</style>\n</head>");
    }

    private static void WriteBlocks(StreamWriter page, ArticleLayout layout)
    {
        string? openList = null;
        bool hasLead = false;
        foreach (ArticleBlock block in layout.Blocks)
        {
            string? list = block.Kind switch { BlockKind.Bullet => "ul", BlockKind.Numbered => "ol", _ => null };
            if (openList != list)
            {
                if (openList is not null)
                    page.WriteLine($"</{openList}>");
                if (list is not null)
                    page.WriteLine(list == "ol" && block.Level != 1 ? $"<ol start=\"{block.Level}\">" : $"<{list}>");
                openList = list;
            }

            bool isLead = !hasLead && block.Kind == BlockKind.Paragraph;
            hasLead |= isLead;
            WriteBlock(page, block, layout, isLead);
        }

        if (openList is not null)
            page.WriteLine($"</{openList}>");
    }

    private static void WriteBlock(StreamWriter page, ArticleBlock block, ArticleLayout layout, bool isLead)
    {
        if (block.Kind == BlockKind.Figure)
        {
            WriteFigure(page, block, block.Picture!, layout);
            return;
        }

        string tag = block.Kind switch { BlockKind.Heading => $"h{block.Level}", BlockKind.Paragraph => "p", _ => "li" };
        page.WriteLine($"<{tag}{(isLead ? " class=\"lead\"" : "")}{LanguageOf(block.PlainText, layout)}>{HtmlText.Of(block.Text)}</{tag}>");
    }

    private static void WriteFigure(StreamWriter page, ArticleBlock block, ArticlePicture picture, ArticleLayout layout)
    {
        ImageHeader size = ImageHeader.Read(picture.Bytes.Span, picture.Name);
        string kind = size.Width < SmallWidth ? " class=\"small\"" : size.Width >= WideWidth && size.Width > size.Height ? " class=\"wide\"" : "";
        string alternative = HtmlText.Escape(CaptionText.Clean(picture.Caption ?? block.PlainText));
        page.Write($"<figure{kind}>\n{(kind.Contains("small", StringComparison.Ordinal) ? "<div class=\"plate\">" : "<div>")}");
        page.Write($"<img alt=\"{alternative}\" width=\"{size.Width}\" height=\"{size.Height}\" src=\"data:{picture.MediaType};base64,");
        for (int start = 0; start < picture.Bytes.Length; start += Base64PieceBytes)
            page.Write(Convert.ToBase64String(picture.Bytes.Span.Slice(start, Math.Min(Base64PieceBytes, picture.Bytes.Length - start))));
        page.WriteLine("\"></div>");
        if (block.Text.Count > 0)
            page.WriteLine($"<figcaption{LanguageOf(block.PlainText, layout)}>{HtmlText.Of(block.Text)}</figcaption>");
        page.WriteLine("</figure>");
    }

    /// <summary>Says that a model wrote it, and where its pictures are from.</summary>
    private static void WriteFooter(StreamWriter page, Article article, ArticleLayout layout)
    {
        bool isChinese = layout.Language == TextLanguage.Chinese;
        // "internlm-xcomposer2-7b, torch .bin, 2 shards": how its files lie is nothing to a reader.
        string model = CaptionText.Clean(article.Model.Split(',')[0]);
        string[] sources = [.. article.Sections.Select(section => section.Figure?.Picture?.Source).OfType<string>()
            .Where(source => source != ArticlePicture.OwnSource).Select(source => CaptionText.Clean(source)).Where(source => source.Length > 0).Distinct(StringComparer.Ordinal)];
        if (model.Length == 0 && sources.Length == 0)
            return;
        page.WriteLine($"<footer lang=\"{(isChinese ? TextLanguage.Chinese : TextLanguage.English)}\">");
        if (model.Length > 0)
            page.WriteLine(isChinese ? $"<p>文字与配图的选择由 {HtmlText.Escape(model)} 完成。</p>" : $"<p>Written and illustrated by {HtmlText.Escape(model)}.</p>");
        if (sources.Length > 0)
            page.WriteLine(isChinese ? $"<p>图片来源：{HtmlText.Escape(string.Join("、", sources))}</p>" : $"<p>Pictures from {HtmlText.Escape(string.Join(", ", sources))}.</p>");
        page.WriteLine("</footer>");
    }

    private static string LanguageOf(string text, ArticleLayout layout) =>
        TextLanguage.Of(text) is { } language && language != layout.Language ? $" lang=\"{language}\"" : "";
}
