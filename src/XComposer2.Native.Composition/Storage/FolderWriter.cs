using System.IO.Compression;
using System.Text.RegularExpressions;

namespace XComposer2.Native.Composition.Storage;

/// <summary>Writes an article's folder so that whoever looks, sees a whole one.</summary>
internal static partial class FolderWriter
{
    /// <summary>Writes all files into a new folder.</summary>
    public static void Fill(string folder, ArticleHistory history, IReadOnlyList<ArticleOutput> outputs)
    {
        Directory.CreateDirectory(Path.Combine(folder, ArticleFolder.PicturesFolder));
        var writer = new StoredArticleWriter();
        byte[] json = writer.Write(history);
        foreach ((string name, ReadOnlyMemory<byte> bytes) in writer.Files)
            Write(Path.Combine(folder, ArticleFolder.PicturesFolder, name), stream => stream.Write(bytes.Span));
        foreach (ArticleOutput output in outputs.Where(output => output.IsWanted(history.Current)))
            Write(Path.Combine(folder, output.FileName), stream => output.Write(history.Current, stream));
        Write(Path.Combine(folder, ArticleFolder.FileName), stream => stream.Write(json));
    }

    /// <summary>Checks that an existing folder can be written by <see cref="Replace"/>.</summary>
    /// <exception cref="ArticleFileException">A link or folder has the name of a file that is to be written, or a file that of the folder of pictures.</exception>
    /// <exception cref="IOException">No file can be made in the folder.</exception>
    /// <exception cref="UnauthorizedAccessException">No file may be made in the folder.</exception>
    public static void RequireWritable(string folder, IReadOnlyList<ArticleOutput> outputs)
    {
        string pictures = Path.Combine(folder, ArticleFolder.PicturesFolder);
        RequireFolder(pictures);
        foreach (string name in outputs.Select(output => output.FileName).Append(ArticleFolder.FileName))
            RequireNoFolder(Path.Combine(folder, name));
        foreach (string place in Directory.Exists(pictures) ? (string[])[folder, pictures] : [folder])
        {
            string probe = TemporaryOf(Path.Combine(place, ArticleFolder.FileName));
            using FileStream file = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
    }

    private static void RequireFolder(string pictures)
    {
        if (new DirectoryInfo(pictures).LinkTarget is not null || File.Exists(pictures))
            throw new ArticleFileException($"{pictures}: is not a folder");
    }

    private static void RequireNoFolder(string target)
    {
        if (Directory.Exists(target))
            throw new ArticleFileException($"{target}: is a folder; a file is to be written there");
    }

    /// <summary>
    /// A folder that exists, and whose lock the caller holds: temporary files that others left are removed; all new files are written under other names first; then pictures move into place, which no older article.json
    /// names, then outputs, then article.json. Pictures that it does not name any more go last.
    /// </summary>
    public static void Replace(string folder, ArticleHistory history, IReadOnlyList<ArticleOutput> outputs)
    {
        string pictures = Path.Combine(folder, ArticleFolder.PicturesFolder);
        RequireFolder(pictures);
        var staged = new List<(string Temporary, string Target)>();
        var writer = new StoredArticleWriter();
        byte[] json = writer.Write(history);
        IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files = writer.Files;
        try
        {
            Directory.CreateDirectory(pictures);
            RemoveAbandoned(folder, outputs);
            foreach ((string name, ReadOnlyMemory<byte> bytes) in files)
                if (!Holds(Path.Combine(pictures, name), bytes))
                    Stage(Path.Combine(pictures, name), stream => stream.Write(bytes.Span));
            foreach (ArticleOutput output in outputs.Where(output => output.IsWanted(history.Current)))
                Stage(Path.Combine(folder, output.FileName), stream => output.Write(history.Current, stream));
            Stage(Path.Combine(folder, ArticleFolder.FileName), stream => stream.Write(json));
            foreach ((string temporary, string target) in staged)
                File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            foreach ((string temporary, _) in staged)
                File.Delete(temporary);
            throw;
        }

        foreach (string old in Directory.EnumerateFiles(pictures))
            if (PictureFileName.IsOne(Path.GetFileName(old)) && !files.ContainsKey(Path.GetFileName(old)))
                File.Delete(old);
        foreach (ArticleOutput unwanted in outputs.Where(output => !output.IsWanted(history.Current)))
            File.Delete(Path.Combine(folder, unwanted.FileName));

        void Stage(string target, Action<Stream> write)
        {
            RequireNoFolder(target);
            string temporary = TemporaryOf(target);
            staged.Add((temporary, target));
            Write(temporary, write);
        }
    }

    // Random and created exclusively, so that leftover files and planted links are never written to.
    private static string TemporaryOf(string target) => $"{target}.{Guid.NewGuid():N}.tmp";

    /// <summary>Deletes temporary files of killed programs. The lock is held, so no other program is writing.</summary>
    private static void RemoveAbandoned(string folder, IReadOnlyList<ArticleOutput> outputs)
    {
        HashSet<string> ours = [ArticleFolder.FileName, .. ArticleOutput.Standard.Concat(outputs).Select(output => output.FileName)];
        foreach (string place in (ReadOnlySpan<string>)[folder, Path.Combine(folder, ArticleFolder.PicturesFolder)])
            foreach (string file in Directory.EnumerateFiles(place, "*.tmp"))
                if (TemporaryName().Match(Path.GetFileName(file)) is { Success: true } match && (ours.Contains(match.Groups["target"].Value) || PictureFileName.IsOne(match.Groups["target"].Value)))
                    File.Delete(file);
    }

    // Earlier versions used the process ID instead of a random number.
    [GeneratedRegex(@"\A(?<target>.+)\.([0-9a-f]{32}|[0-9]{1,10})\.tmp\z", RegexOptions.CultureInvariant)]
    private static partial Regex TemporaryName();

    private static bool Holds(string path, ReadOnlyMemory<byte> bytes) =>
        File.Exists(path) && new FileInfo(path) is { LinkTarget: null } file && file.Length == bytes.Length && File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes.Span);

    private static void Write(string path, Action<Stream> write)
    {
        using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        write(file);
        file.Flush(flushToDisk: true);
    }
}

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
