using System.Globalization;
using System.Text.RegularExpressions;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition.Output;

/// <summary>An article as blocks, the common input of all output formats.</summary>
internal sealed partial class ArticleLayout
{
    private const int DeepestHeading = 4;

    private ArticleLayout(string title, string language, IReadOnlyList<ArticleBlock> blocks)
    {
        Title = title;
        Language = language;
        Blocks = blocks;
    }

    /// <summary>One line; empty if the article has no title.</summary>
    public string Title { get; }

    /// <summary>Language code, see <see cref="TextLanguage"/>.</summary>
    public string Language { get; }

    /// <summary>All blocks without the title.</summary>
    public IReadOnlyList<ArticleBlock> Blocks { get; }

    public static ArticleLayout Of(Article article)
    {
        ArgumentNullException.ThrowIfNull(article);
        List<ArticleBlock> blocks = [];
        foreach (ArticleSection section in article.Sections)
        {
            if (Block(CaptionText.Clean(section.Text, int.MaxValue)) is { } block)
                blocks.Add(block);
            if (section.Figure is { Picture: { } picture } figure)
                blocks.Add(new ArticleBlock(BlockKind.Figure, 0, EmphasisReader.Read(CaptionText.Clean(figure.Caption)), picture) { Alternative = Alternative(figure, picture, section) });
        }

        string title = EmphasisReader.Plain(CaptionText.Clean(article.Title));
        if (blocks is [{ Kind: BlockKind.Heading } first, ..] && (title.Length == 0 || title == first.PlainText))
        {
            title = first.PlainText;
            blocks.RemoveAt(0);
        }

        string language = TextLanguage.Of(string.Join(' ', blocks.Where(block => block.Kind != BlockKind.Figure).Select(block => block.PlainText).Append(title))) ?? TextLanguage.English;
        return new ArticleLayout(title, language, Level(blocks));
    }

    /// <summary>The description of the picture, else what is known about it: no figure is without one.</summary>
    private static string Alternative(ArticleFigure figure, ArticlePicture picture, ArticleSection section)
    {
        foreach (string text in (ReadOnlySpan<string>)[figure.AlternativeText, picture.Caption ?? "", EmphasisReader.Plain(CaptionText.Clean(figure.Caption)), NameWords.Of(Path.GetFileNameWithoutExtension(picture.Name))])
            if (CaptionText.Clean(text) is { Length: > 0 } clean)
                return clean;
        return CaptionText.Clean(CaptionAnswer.Of(section));
    }

    private static ArticleBlock? Block(string line)
    {
        if (line.All(character => character is '-' or '*' or '_' or '=' or '#' or ' '))
            return null;
        if (HeadingLevel(line) is > 0 and int level)
            return new ArticleBlock(BlockKind.Heading, level, EmphasisReader.Read(HeadingText(line[level..])));
        if (Bullet().Match(line) is { Success: true } bullet)
            return new ArticleBlock(BlockKind.Bullet, 0, EmphasisReader.Read(bullet.Groups["text"].Value));
        if (Numbered().Match(line) is { Success: true } numbered)
            return new ArticleBlock(BlockKind.Numbered, int.Parse(numbered.Groups["number"].ValueSpan, CultureInfo.InvariantCulture), EmphasisReader.Read(numbered.Groups["text"].Value));
        return new ArticleBlock(BlockKind.Paragraph, 0, EmphasisReader.Read(line));
    }

    private static int HeadingLevel(string line)
    {
        int marks = line.AsSpan().IndexOfAnyExcept('#');
        return marks is >= 1 and <= 6 && line[marks] == ' ' ? marks : 0;
    }

    // Trailing number signs after a space close a heading.
    private static string HeadingText(string text)
    {
        string open = text.TrimEnd('#');
        return (open.EndsWith(' ') ? open : text).Trim();
    }

    // The first heading level of the model's text becomes the level below the title.
    private static List<ArticleBlock> Level(List<ArticleBlock> blocks)
    {
        int highest = blocks.Where(block => block.Kind == BlockKind.Heading).Select(block => block.Level).DefaultIfEmpty(2).Min();
        return [.. blocks.Select(block => block.Kind == BlockKind.Heading ? block with { Level = Math.Min(block.Level - highest + 2, DeepestHeading) } : block)];
    }

    [GeneratedRegex(@"^([-*+]\s+|[•·]\s*)(?<text>\S.*)$")]
    private static partial Regex Bullet();

    [GeneratedRegex(@"^(?<number>[0-9]{1,3})([.)]\s+|、\s*)(?<text>\S.*)$")]
    private static partial Regex Numbered();
}

/// <summary>A block of an article.</summary>
/// <param name="Kind">Kind of the block.</param>
/// <param name="Level">Heading level, 2 to 4 (1 is the title); number of a numbered item; otherwise 0.</param>
/// <param name="Text">Text, or the caption of a figure; may be empty.</param>
/// <param name="Picture">Picture of a figure; otherwise null.</param>
internal sealed record ArticleBlock(BlockKind Kind, int Level, IReadOnlyList<TextSpan> Text, ArticlePicture? Picture = null)
{
    /// <summary>Alternative text of a figure, one line, not empty; otherwise empty.</summary>
    public string Alternative { get; init; } = "";

    /// <summary>The text without emphasis.</summary>
    public string PlainText => string.Concat(Text.Select(span => span.Text));
}

/// <summary>Kinds of blocks.</summary>
internal enum BlockKind
{
    Heading,
    Paragraph,
    Bullet,
    Numbered,
    Figure,
}
