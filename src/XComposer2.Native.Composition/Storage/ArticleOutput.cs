namespace XComposer2.Native.Composition;

/// <summary>A file that is made of an article and lies in its folder.</summary>
/// <param name="FileName">Without folders.</param>
/// <param name="Write">Writes the file. Pictures of the article lie beside it in <see cref="ArticleFolder.PicturesFolder"/>, as <see cref="ArticlePicture.FileName"/>.</param>
public sealed record ArticleOutput(string FileName, Action<Article, Stream> Write)
{
    /// <summary>A page to open, Markdown, and both packed with the pictures.</summary>
    public static IReadOnlyList<ArticleOutput> Standard { get; } =
    [
        new(ArticleMarkdown.FileName, ArticleMarkdown.Write),
        new(ArticlePage.FileName, ArticlePage.Write),
        new(ArticleArchive.FileName, ArticleArchive.Write),
    ];
}
