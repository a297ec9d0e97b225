namespace XComposer2.Native.Composition;

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

    /// <summary>Makes the folder.</summary>
    /// <param name="path">Folders above it are made where they are missing.</param>
    /// <param name="history">What is written.</param>
    /// <param name="outputs">Files to make of the current article.</param>
    /// <param name="overwrite">A folder that exists is taken over: files of the same names are replaced, pictures of an article that lay there go, all others stay.</param>
    /// <exception cref="ArticleFileException">The folder exists and is not to be overwritten, or is no folder.</exception>
    /// <exception cref="IOException">It cannot be written; nothing was, or what was there is untouched.</exception>
    public static void Create(string path, ArticleHistory history, IReadOnlyList<ArticleOutput> outputs, bool overwrite = false)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(outputs);
        RequireFree(path, overwrite);
        string folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Directory.Exists(folder))
        {
            FolderWriter.Replace(folder, history, outputs);
            return;
        }

        string parent = Path.GetDirectoryName(folder) ?? throw new ArticleFileException($"{path}: not the name of a folder");
        Directory.CreateDirectory(parent);
        FolderWriter.Create(folder, history, outputs);
    }

    /// <summary>Whether <see cref="Create"/> may write there: to be told before an article is made rather than after.</summary>
    /// <exception cref="ArticleFileException">It may not.</exception>
    public static void RequireFree(string path, bool overwrite)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (File.Exists(path))
            throw new ArticleFileException($"{path}: is a file, not a folder");
        if (!overwrite && Directory.Exists(path))
            throw new ArticleFileException($"{path}: the folder exists already");
    }

    /// <summary>Writes an article again into its folder.</summary>
    /// <exception cref="ArticleFileException">There is no article.</exception>
    /// <exception cref="IOException">It cannot be written; what was there is untouched.</exception>
    public static void Save(string path, ArticleHistory history, IReadOnlyList<ArticleOutput> outputs)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(outputs);
        _ = BoundedFile.Require(Path.Combine(path, FileName), MaximumFileBytes);
        FolderWriter.Replace(Path.GetFullPath(path), history, outputs);
    }

    /// <summary>Reads an article, whoever wrote it.</summary>
    /// <param name="path">Of the folder.</param>
    /// <exception cref="ArticleFileException">It is missing something, damaged, or over a limit.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ArticleHistory Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string file = Path.Combine(path, FileName), pictures = Path.Combine(path, PicturesFolder);
        byte[] json = BoundedFile.Read(file, MaximumFileBytes);
        if (new DirectoryInfo(pictures).LinkTarget is not null)
            throw new ArticleFileException($"{pictures}: is a link");
        return new StoredArticleReader(file, name => BoundedFile.Read(Path.Combine(pictures, name), Model.ImageLimits.Default.MaxFileBytes)).Read(json);
    }
}
