using System.Text;
using XComposer2.Native.Composition.Pictures;
using XComposer2.Native.Model;

namespace XComposer2.Native.Composition.Output;

/// <summary>
/// Writes an article as a self-contained HTML page: pictures are embedded, there are no scripts, and nothing is loaded. Texts are escaped; only
/// headings, lists and emphasis become markup.
/// </summary>
public static class ArticlePage
{
    /// <summary>Default file name.</summary>
    public const string FileName = "article.html";

    /// <summary>Pictures narrower than this are shown on a plate. Pixels.</summary>
    private const long SmallWidth = 480;

    /// <summary>Pictures wider than this may extend beyond the column. Pixels.</summary>
    private const long WideWidth = 1200;

    private const int TitleFromTextLength = 60;

    /// <summary>Limit of the bytes that repeated pictures add: the bytes of all distinct pictures, but at least this. Further repetitions are omitted.</summary>
    private const long MinimumRepeatedBytes = 8 << 20;

    // A multiple of three, so that base64 pieces join without padding.
    private const int Base64PieceBytes = 48 << 10;

    /// <summary>Writes the page as UTF-8 with line feeds.</summary>
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
        // Otherwise browsers request /favicon.ico from the server.
        page.WriteLine("<link rel=\"icon\" href=\"data:,\">");
        page.WriteLine($"<style>{PageStyle.Css}</style>\n</head>");
    }

    private static void WriteBlocks(StreamWriter page, ArticleLayout layout)
    {
        string? openList = null;
        bool hasLead = false;
        PictureBudget budget = new(layout, MinimumRepeatedBytes);
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
            WriteBlock(page, block, layout, isLead, budget);
        }

        if (openList is not null)
            page.WriteLine($"</{openList}>");
    }

    private static void WriteBlock(StreamWriter page, ArticleBlock block, ArticleLayout layout, bool isLead, PictureBudget budget)
    {
        if (block.Kind == BlockKind.Figure)
        {
            WriteFigure(page, block, block.Picture!, layout, budget);
            return;
        }

        string tag = block.Kind switch { BlockKind.Heading => $"h{block.Level}", BlockKind.Paragraph => "p", _ => "li" };
        page.WriteLine($"<{tag}{(isLead ? " class=\"lead\"" : "")}{LanguageOf(block.PlainText, layout)}>{HtmlText.Of(block.Text)}</{tag}>");
    }

    private static void WriteFigure(StreamWriter page, ArticleBlock block, ArticlePicture picture, ArticleLayout layout, PictureBudget budget)
    {
        ImageHeader size = ImageHeader.ReadUpright(picture.Bytes, picture.Name);
        string kind = size.Width < SmallWidth ? " class=\"small\"" : size.Width >= WideWidth && size.Width > size.Height ? " class=\"wide\"" : "";
        page.Write($"<figure{kind}>\n{(kind.Contains("small", StringComparison.Ordinal) ? "<div class=\"plate\">" : "<div>")}");
        page.Write($"<img alt=\"{HtmlText.Escape(block.Alternative)}\" width=\"{size.Width}\" height=\"{size.Height}\" src=\"data:{picture.MediaType};base64,");
        bool isShown = budget.Takes(picture);
        for (int start = 0; isShown && start < picture.Bytes.Length; start += Base64PieceBytes)
            page.Write(Convert.ToBase64String(picture.Bytes.Span.Slice(start, Math.Min(Base64PieceBytes, picture.Bytes.Length - start))));
        page.WriteLine("\"></div>");
        if (block.Text.Count > 0)
            page.WriteLine($"<figcaption{LanguageOf(block.PlainText, layout)}>{HtmlText.Of(block.Text)}</figcaption>");
        page.WriteLine("</figure>");
    }

    /// <summary>Names the model and the picture sources.</summary>
    private static void WriteFooter(StreamWriter page, Article article, ArticleLayout layout)
    {
        bool isChinese = layout.Language == TextLanguage.Chinese;
        // The description continues with the checkpoint format ("internlm-xcomposer2-7b, torch .bin, 2 shards"), which is omitted here.
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

/// <summary>The picture bytes of a page: each picture is embedded once, and again only up to a limit, so that the page size is proportional to that of its pictures.</summary>
internal sealed class PictureBudget
{
    private readonly HashSet<string> shown = new(StringComparer.Ordinal);
    private long repeatedBytes;

    public PictureBudget(ArticleLayout layout, long minimumRepeatedBytes)
    {
        long once = layout.Blocks.Select(block => block.Picture).OfType<ArticlePicture>().DistinctBy(picture => picture.FileName).Sum(picture => (long)picture.Bytes.Length);
        repeatedBytes = Math.Max(once, minimumRepeatedBytes);
    }

    /// <summary>Whether the bytes of the picture are embedded here.</summary>
    public bool Takes(ArticlePicture picture)
    {
        if (shown.Add(picture.FileName))
            return true;
        repeatedBytes -= picture.Bytes.Length;
        return repeatedBytes >= 0;
    }
}

/// <summary>Escapes plain text for HTML, for element content and quoted attributes.</summary>
internal static class HtmlText
{
    public static string Escape(string text)
    {
        StringBuilder escaped = new(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes())
            _ = rune.Value switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                _ => escaped.Append(rune),
            };
        return escaped.ToString();
    }

    /// <summary>Text with emphasis as HTML.</summary>
    public static string Of(IReadOnlyList<TextSpan> spans) => string.Concat(spans.Select(span => span.Emphasis switch
    {
        TextEmphasis.Strong => $"<strong>{Escape(span.Text)}</strong>",
        TextEmphasis.Light => $"<em>{Escape(span.Text)}</em>",
        _ => Escape(span.Text),
    }));
}

/// <summary>Detects the language of a text from its script: sufficient for fonts, line breaking and speech output.</summary>
internal static class TextLanguage
{
    public const string English = "en";

    public const string Chinese = "zh-Hans";

    /// <summary>The language code of most of the text; null if it has no letters.</summary>
    public static string? Of(string text)
    {
        int han = 0, kana = 0, hangul = 0, words = 0;
        bool inWord = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool isHan = rune.Value is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x3FFFF);
            bool isKana = rune.Value is >= 0x3040 and <= 0x30FF;
            bool isHangul = rune.Value is >= 0xAC00 and <= 0xD7AF;
            bool isLetter = !isHan && !isKana && !isHangul && Rune.IsLetter(rune);
            han += isHan ? 1 : 0;
            kana += isKana ? 1 : 0;
            hangul += isHangul ? 1 : 0;
            words += isLetter && !inWord ? 1 : 0;
            inWord = isLetter;
        }

        // A word in letters has the weight of two CJK characters.
        int east = han + kana + hangul;
        if (east == 0 && words == 0)
            return null;
        if (east < 2 * words)
            return English;
        return hangul * 2 > east ? "ko" : kana * 4 > east ? "ja" : Chinese;
    }
}
