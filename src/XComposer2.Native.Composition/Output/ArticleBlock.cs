namespace XComposer2.Native.Composition;

/// <summary>A block of an article as it is shown.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Level">Of a heading: 2 to 4, 1 being the title's. Of a numbered item: its number. Else 0.</param>
/// <param name="Text">Of a figure: its caption. Empty for none.</param>
/// <param name="Picture">Of a figure; else null.</param>
internal sealed record ArticleBlock(BlockKind Kind, int Level, IReadOnlyList<TextSpan> Text, ArticlePicture? Picture = null)
{
    /// <summary>Its text without emphasis.</summary>
    public string PlainText => string.Concat(Text.Select(span => span.Text));
}
