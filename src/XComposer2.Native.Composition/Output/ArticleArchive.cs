using System.IO.Compression;

namespace XComposer2.Native.Composition;

/// <summary>An article as a zip: the Markdown, its pictures, and the page. The same article gives the same bytes.</summary>
public static class ArticleArchive
{
    /// <summary>Usual name of the file.</summary>
    public const string FileName = "article.zip";

    // The first moment that a zip can name: an article's file does not tell when it was packed.
    private static readonly DateTimeOffset moment = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes the archive.</summary>
    public static void Write(Article article, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(article);
        ArgumentNullException.ThrowIfNull(stream);
        using ZipArchive archive = new(stream, ZipArchiveMode.Create, leaveOpen: true);
        Add(archive, ArticleMarkdown.FileName, CompressionLevel.Optimal, entry => ArticleMarkdown.Write(article, entry));
        Add(archive, ArticlePage.FileName, CompressionLevel.Optimal, entry => ArticlePage.Write(article, entry));
        IEnumerable<ArticlePicture> shown = article.Sections.Select(section => section.Figure?.Picture).OfType<ArticlePicture>();
        // What is compressed already does not become smaller.
        foreach (ArticlePicture picture in shown.DistinctBy(picture => picture.FileName).OrderBy(picture => picture.FileName, StringComparer.Ordinal))
            Add(archive, $"{ArticleMarkdown.PicturesFolder}/{picture.FileName}", CompressionLevel.NoCompression, entry => entry.Write(picture.Bytes.Span));
    }

    private static void Add(ZipArchive archive, string name, CompressionLevel level, Action<Stream> write)
    {
        ZipArchiveEntry entry = archive.CreateEntry(name, level);
        entry.LastWriteTime = moment;
        using Stream content = entry.Open();
        write(content);
    }
}
