using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>The one place that says what lies in an article's folder beside article.json and its pictures.</summary>
internal static class ArticleOutputs
{
    public static IReadOnlyList<ArticleOutput> All { get; } =
    [
        new(ArticleMarkdown.FileName, ArticleMarkdown.Write),
        new(ArticlePage.FileName, ArticlePage.Write),
        new(ArticleArchive.FileName, ArticleArchive.Write),
    ];
}
