using System.Text;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition.Output;

/// <summary>Writes an article as CommonMark, with its pictures in a folder beside the file. Only headings, lists and emphasis of the article become
/// markup.</summary>
public static class ArticleMarkdown
{
    /// <summary>Default file name.</summary>
    public const string FileName = "article.md";

    /// <summary>Folder beside the file with the pictures, each under its <see cref="ArticlePicture.FileName"/>.</summary>
    public const string PicturesFolder = "pictures";

    /// <summary>Writes the file as UTF-8 with line feeds.</summary>
    public static void Write(Article article, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(Encoding.UTF8.GetBytes(Render(article)));
    }

    internal static string Render(Article article)
    {
        ArticleLayout layout = ArticleLayout.Of(article);
        StringBuilder text = new();
        if (layout.Title.Length > 0)
            text.Append("# ").Append(MarkdownText.Heading([new TextSpan(layout.Title, TextEmphasis.None)])).Append('\n');
        BlockKind? before = null;
        foreach (ArticleBlock block in layout.Blocks)
        {
            // No blank line between items of one list.
            if (text.Length > 0 && !(block.Kind == before && block.Kind is BlockKind.Bullet or BlockKind.Numbered))
                text.Append('\n');
            text.Append(Render(block)).Append('\n');
            before = block.Kind;
        }

        return text.ToString();
    }

    private static string Render(ArticleBlock block) => block.Kind switch
    {
        BlockKind.Heading => $"{new string('#', block.Level)} {MarkdownText.Heading(block.Text)}",
        BlockKind.Bullet => $"- {MarkdownText.Line(block.Text)}",
        BlockKind.Numbered => $"{block.Level}. {MarkdownText.Line(block.Text)}",
        BlockKind.Figure => Figure(block, block.Picture!),
        _ => MarkdownText.Line(block.Text),
    };

    private static string Figure(ArticleBlock block, ArticlePicture picture)
    {
        string image = $"![{MarkdownText.Escape(block.Alternative)}]({PicturesFolder}/{picture.FileName})";
        return block.Text.Count == 0 ? image : $"{image}\n\n{MarkdownText.Line([new TextSpan(block.PlainText, TextEmphasis.Light)])}";
    }
}

/// <summary>Escapes plain text for Markdown.</summary>
internal static class MarkdownText
{
    /// <summary>Escapes all characters with a meaning anywhere in a line.</summary>
    public static string Escape(string text)
    {
        StringBuilder escaped = new(text.Length + 8);
        foreach (char next in text)
        {
            if (next is '\\' or '`' or '*' or '_' or '[' or ']' or '<' or '>' or '&' or '~' or '|' or '$')
                escaped.Append('\\');
            escaped.Append(next);
        }

        return escaped.ToString();
    }

    /// <summary>A line of text with emphasis, for the beginning of a line of the file.</summary>
    public static string Line(IReadOnlyList<TextSpan> spans)
    {
        string line = Inline(spans);
        if (line.Length > 0 && line[0] is '#' or '+' or '-' or '=' or ':')
            return "\\" + line;
        int digits = 0;
        while (digits < line.Length && char.IsAsciiDigit(line[digits]))
            digits++;
        return digits > 0 && digits < line.Length && line[digits] is '.' or ')' ? line.Insert(digits, "\\") : line;
    }

    /// <summary>A line of heading text. A trailing number sign is escaped, because CommonMark would drop it.</summary>
    public static string Heading(IReadOnlyList<TextSpan> spans) => Inline(spans).Replace("#", "\\#", StringComparison.Ordinal);

    private static string Inline(IReadOnlyList<TextSpan> spans)
    {
        StringBuilder line = new();
        for (int index = 0; index < spans.Count; index++)
        {
            TextSpan span = spans[index];
            char before = index == 0 ? ' ' : spans[index - 1].Text[^1];
            char after = index == spans.Count - 1 ? ' ' : spans[index + 1].Text[0];
            string mark = span.Emphasis switch { TextEmphasis.Strong => "**", TextEmphasis.Light => "*", _ => "" };
            if (!Holds(before, span.Text[0]) || !Holds(after, span.Text[^1]))
                mark = "";
            line.Append(mark).Append(Escape(span.Text)).Append(mark);
        }

        return line.ToString();
    }

    // CommonMark's flanking rule: a mark between an outer letter and an inner punctuation sign, frequent in Chinese, has no effect.
    private static bool Holds(char outside, char inside) => !IsSign(inside) || IsSign(outside) || char.IsWhiteSpace(outside);

    private static bool IsSign(char value) => char.IsPunctuation(value) || char.IsSymbol(value);
}
