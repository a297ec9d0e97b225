namespace XComposer2.Native.Composition.Storage;

/// <summary>
/// An article on disk: <c>article.json</c> with everything and its history, the pictures by their content, and whatever outputs are wanted.
/// A folder is there whole or not at all, and one that is written again is whole at every moment: article.json is replaced last.
/// </summary>
public static class ArticleFolder
{
    /// <summary>The file with everything.</summary>
    public const string FileName = "article.json";

    /// <summary>The folder of pictures in the article's folder.</summary>
    public const string PicturesFolder = "pictures";

    private const long MaximumFileBytes = 64L << 20;
    private const int MaximumReads = 10;

    /// <summary>Makes the folder.</summary>
    /// <param name="path">Folders above it are made where they are missing.</param>
    /// <param name="history">What is written.</param>
    /// <param name="outputs">Files to make of the current article.</param>
    /// <param name="overwrite">A folder that exists is taken over: files of the same names are replaced, pictures of an article that lay there go, all others stay.</param>
    /// <exception cref="ArticleFileException">The folder exists and is not to be overwritten, or is no folder.</exception>
    /// <exception cref="IOException">It cannot be written; nothing was, or what was there is untouched.</exception>
    public static void Create(string path, ArticleHistory history, IReadOnlyList<ArticleOutput> outputs, bool overwrite = false)
    {
        using ArticlePlace place = ArticlePlace.Reserve(path, overwrite);
        place.Commit(history, outputs);
    }

    /// <summary>Whether <see cref="Create"/> may write there: to be told before an article is made rather than after.</summary>
    /// <exception cref="ArticleFileException">It may not.</exception>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static void RequireFree(string path, bool overwrite)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (File.Exists(path))
            throw new ArticleFileException($"{path}: is a file, not a folder");
        if (!overwrite && Directory.Exists(path))
            throw new ArticleFileException($"{path}: the folder exists already");
    }

    /// <summary>Checks that <see cref="Save"/> can write: before a model is loaded for an edit.</summary>
    /// <param name="path">Of the folder.</param>
    /// <param name="outputs">Files to make of the article.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    /// <exception cref="ArticleFileException">The folder cannot be written, or a folder has the name of a file.</exception>
    public static void RequireWritable(string path, IReadOnlyList<ArticleOutput> outputs)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(outputs);
        try
        {
            FolderWriter.RequireWritable(path, outputs);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ArticleFileException($"{path}: the folder cannot be written: {(error is UnauthorizedAccessException ? "permission denied" : error.Message)}", error);
        }
    }

    /// <summary>Waits for the lock of an article. Hold it from opening until saving, so that no change of another program is lost.</summary>
    /// <param name="path">Of the folder.</param>
    /// <param name="waiting">Called once if the lock is held by another.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArticleFileException">There is no article.</exception>
    public static Task<ArticleLock> LockAsync(string path, Action? waiting = null, CancellationToken cancellationToken = default)
    {
        _ = BoundedFile.Require(Path.Combine(path, FileName), MaximumFileBytes);
        return ArticleLock.TakeAsync(path, waiting, cancellationToken);
    }

    /// <summary>Writes an article again into its folder.</summary>
    /// <param name="path">Of the folder.</param>
    /// <param name="history">What is written.</param>
    /// <param name="outputs">Files to make of the current article.</param>
    /// <param name="held">The folder's lock if the caller holds it; null to lock for the duration of the save.</param>
    /// <exception cref="ArticleFileException">There is no article, or another is changing it.</exception>
    /// <exception cref="IOException">It cannot be written; what was there is untouched.</exception>
    public static void Save(string path, ArticleHistory history, IReadOnlyList<ArticleOutput> outputs, ArticleLock? held = null)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(outputs);
        _ = BoundedFile.Require(Path.Combine(path, FileName), MaximumFileBytes);
        using ArticleLock? own = held is null ? ArticleLock.Take(path) : null;
        FolderWriter.Replace(Path.GetFullPath(path), history, outputs);
    }

    /// <summary>Reads an article, whoever wrote it.</summary>
    /// <param name="path">Of the folder.</param>
    /// <exception cref="ArticleFileException">It is missing something, damaged, or over a limit.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static ArticleHistory Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string file = Path.Combine(path, FileName), pictures = Path.Combine(path, PicturesFolder);
        for (int attempt = 1; ; attempt++)
        {
            byte[] json = BoundedFile.Read(file, MaximumFileBytes);
            if (new DirectoryInfo(pictures).LinkTarget is not null)
                throw new ArticleFileException($"{pictures}: is a link");
            try
            {
                return new StoredArticleReader(file, name => BoundedFile.Read(Path.Combine(pictures, name), Model.ImageLimits.Default.MaxFileBytes)).Read(json);
            }
            catch (Exception error) when (error is ArticleFileException or IOException && attempt < MaximumReads && IsReplaced(file, json))
            {
                // The article was replaced while it was read: read it again.
            }
        }
    }

    /// <summary>Reads what a list of articles shows. Pictures are not read.</summary>
    /// <param name="path">Of the folder.</param>
    /// <exception cref="ArticleFileException">There is no article, or it is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    internal static ArticleSummary Summarize(string path)
    {
        string file = Path.Combine(path, FileName);
        return StoredArticleReader.Summarize(file, BoundedFile.Read(file, MaximumFileBytes)) with { Updated = File.GetLastWriteTimeUtc(file) };
    }

    /// <summary>Deletes an article with all files of its folder. A program that is killed meanwhile leaves a temporary folder, which the next new article beside it removes.</summary>
    /// <param name="path">Of the folder.</param>
    /// <param name="held">Its lock.</param>
    /// <exception cref="IOException">It cannot be deleted.</exception>
    internal static void Delete(string path, ArticleLock held)
    {
        ArgumentNullException.ThrowIfNull(held);
        string folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), unnamed = ArticlePlace.TemporaryName(Path.GetDirectoryName(folder)!);
        Directory.Move(folder, unnamed);
        Directory.Delete(unnamed, recursive: true);
    }

    private static bool IsReplaced(string file, ReadOnlySpan<byte> json) => !BoundedFile.Read(file, MaximumFileBytes).AsSpan().SequenceEqual(json);
}

/// <summary>What a list shows of an article.</summary>
/// <param name="Title">Of the article; may be empty.</param>
/// <param name="Instruction">Of the article.</param>
/// <param name="Sections">Their number.</param>
/// <param name="Figures">Number of shown figures.</param>
/// <param name="Changes">Number of states of the history.</param>
internal sealed record ArticleSummary(string Title, string Instruction, int Sections, int Figures, int Changes)
{
    /// <summary>Last change, UTC.</summary>
    public DateTime Updated { get; init; }
}

/// <summary>A file that is made of an article and lies in its folder.</summary>
/// <param name="FileName">Without folders.</param>
/// <param name="Write">Writes the file. Pictures of the article lie beside it in <see cref="ArticleFolder.PicturesFolder"/>, as <see cref="ArticlePicture.FileName"/>.</param>
public sealed record ArticleOutput(string FileName, Action<Article, Stream> Write)
{
    /// <summary>A page to open or print, Markdown, a word processor's document, page and Markdown packed with the pictures, and the candidates of the figures.</summary>
    public static IReadOnlyList<ArticleOutput> Standard { get; } =
    [
        new(ArticleMarkdown.FileName, ArticleMarkdown.Write),
        new(ArticlePage.FileName, ArticlePage.Write),
        new(ArticleDocument.FileName, ArticleDocument.Write),
        new(ArticleArchive.FileName, ArticleArchive.Write),
        new(CandidatesPage.FileName, CandidatesPage.Write) { IsWanted = CandidatesPage.IsWanted },
    ];

    /// <summary>Whether the article needs the file. If not, a file of this name is deleted.</summary>
    public Func<Article, bool> IsWanted { get; init; } = static _ => true;
}

/// <summary>An article's folder that cannot be used. The message names the file and the reason, for the user as it stands.</summary>
public sealed class ArticleFileException : XComposerException
{
    /// <inheritdoc/>
    public ArticleFileException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public ArticleFileException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>Files of a folder that came from elsewhere: only ordinary ones, and not over a limit.</summary>
internal static class BoundedFile
{
    /// <exception cref="ArticleFileException">It is missing, no ordinary file, empty, or too large.</exception>
    public static FileInfo Require(string path, long limitBytes)
    {
        if (Directory.Exists(path))
            throw new ArticleFileException($"{path}: is a folder, not a file");
        var file = new FileInfo(path);
        if (file.LinkTarget is not null)
            throw new ArticleFileException($"{path}: is a link");
        if (!file.Exists)
            throw new ArticleFileException($"{path}: no such file");

        // Asked before it is opened: opening a named pipe would wait for its writer for ever, and a device never ends; both have no length.
        if (file.Length == 0)
            throw new ArticleFileException($"{path}: the file is empty");
        if (file.Length > limitBytes)
            throw new ArticleFileException($"{path}: the file has {file.Length} bytes, the limit is {limitBytes}");
        return file;
    }

    /// <inheritdoc cref="Require"/>
    public static byte[] Read(string path, long limitBytes)
    {
        Require(path, limitBytes);
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        byte[] bytes = GC.AllocateUninitializedArray<byte>(checked((int)Math.Min(stream.Length, limitBytes)));
        stream.ReadExactly(bytes);
        return bytes;
    }
}
