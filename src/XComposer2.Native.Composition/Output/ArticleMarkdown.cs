using System.Text;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition;

/// <summary>An article as Markdown (CommonMark), with its pictures in a folder beside it. Nothing in the article's texts becomes markup but headings,
/// lists and emphasis.</summary>
public static class ArticleMarkdown
{
    /// <summary>Usual name of the file.</summary>
    public const string FileName = "article.md";

    /// <summary>Folder beside the file in which the pictures are expected, each under its <see cref="ArticlePicture.FileName"/>.</summary>
    public const string PicturesFolder = "pictures";

    /// <summary>Writes the file: UTF-8, lines end with a line feed.</summary>
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
            // Items of one list are close to each other.
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
        string image = $"![{MarkdownText.Escape(CaptionText.Clean(picture.Caption ?? block.PlainText))}]({PicturesFolder}/{picture.FileName})";
        return block.Text.Count == 0 ? image : $"{image}\n\n{MarkdownText.Line([new TextSpan(block.PlainText, TextEmphasis.Light)])}";
    }
}
