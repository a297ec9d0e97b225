using System.Text;
using System.Text.RegularExpressions;

namespace XComposer2.Native.Composition.Storage;

/// <summary>
/// A place for an article that is not written yet: it is checked to be writable before composition starts, and taken by <see cref="Commit"/>. If another
/// program took the name first, the next free name is used or an error is thrown. Disposal without <see cref="Commit"/> removes everything.
/// </summary>
public sealed partial class ArticlePlace : IDisposable
{
    private const int MaximumNameBytes = 255;
    private const int Attempts = 100;

    private readonly string given;
    private readonly bool mayOverwrite;
    private readonly bool mayTakeNext;
    private readonly string parent;
    private readonly List<string> madeParents = [];
    private string? temporary;
    private ArticleLock? held;

    private ArticlePlace(string path, bool mayOverwrite, bool mayTakeNext)
    {
        given = path;
        this.mayOverwrite = mayOverwrite;
        this.mayTakeNext = mayTakeNext;
        Folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        parent = Path.GetDirectoryName(Folder) ?? throw new ArticleFileException($"{path}: not the name of a folder");
    }

    /// <summary>Full path of the requested name.</summary>
    private string Folder { get; }

    /// <summary>A folder of this name.</summary>
    /// <param name="path">Folders above it are made where they are missing.</param>
    /// <param name="overwrite">A folder that exists is taken over: see <see cref="ArticleFolder.Create"/>.</param>
    /// <exception cref="ArticleFileException">It exists and is not to be overwritten, is no folder, or cannot be written.</exception>
    public static ArticlePlace Reserve(string path, bool overwrite = false)
    {
        ArticleFolder.RequireFree(path, overwrite);
        return Prepared(new ArticlePlace(path, overwrite, mayTakeNext: false));
    }

    /// <summary>A folder of this name, or NAME-2, NAME-3 and so on: the first that is free when the article is written.</summary>
    /// <exception cref="ArticleFileException">The folder above it cannot be written.</exception>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static ArticlePlace ReserveNext(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Prepared(new ArticlePlace(path, mayOverwrite: false, mayTakeNext: true));
    }

    /// <summary>Writes the article, and releases the place.</summary>
    /// <returns>Where it is: the path that was given, or that of the next free name.</returns>
    /// <exception cref="ArticleFileException">Another program took the name or is changing the folder.</exception>
    /// <exception cref="IOException">It cannot be written; nothing was, or what was there is untouched.</exception>
    public string Commit(ArticleHistory history, IReadOnlyList<ArticleOutput> outputs)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(outputs);
        if (temporary is null)
        {
            using ArticleLock turn = ArticleLock.Take(Folder);
            FolderWriter.Replace(Folder, history, outputs);
            return given;
        }
        FolderWriter.Fill(temporary, history, outputs);
        return MoveIntoPlace(temporary);
    }

    /// <summary>Removes temporary folders.</summary>
    public void Dispose()
    {
        try
        {
            if (temporary is not null && Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
            foreach (string made in madeParents)
                if (Directory.Exists(made) && !Directory.EnumerateFileSystemEntries(made).Any())
                    Directory.Delete(made);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The next save in this folder removes it.
        }
        temporary = null;
        held?.Dispose();
        held = null;
    }

    /// <summary>A new name of a folder that <see cref="ReserveNext"/> removes if its program was killed.</summary>
    internal static string TemporaryName(string parent) => Path.Combine(parent, $".xc2-{Guid.NewGuid():N}.tmp");

    private static ArticlePlace Prepared(ArticlePlace place)
    {
        try
        {
            if (Encoding.UTF8.GetByteCount(Path.GetFileName(place.Folder)) > MaximumNameBytes)
                throw new ArticleFileException($"{place.given}: the name is longer than {MaximumNameBytes} bytes");
            if (Directory.Exists(place.Folder) && !place.mayTakeNext)
                FolderWriter.RequireWritable(place.Folder, ArticleOutput.Standard);
            else
                place.MakeTemporary();
            return place;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            place.Dispose();
            throw new ArticleFileException($"{place.given}: the folder cannot be written: {Reason(error)}", error);
        }
        catch
        {
            place.Dispose();
            throw;
        }
    }

    private void MakeTemporary()
    {
        for (string? missing = parent; missing is not null && !Directory.Exists(missing); missing = Path.GetDirectoryName(missing))
            madeParents.Add(missing);
        Directory.CreateDirectory(parent);
        RemoveAbandoned();
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            string name = TemporaryName(parent);
            Directory.CreateDirectory(name);
            // Another program may be deleting it as a leftover.
            if (ArticleLock.TryTake(name) is not { } taken)
                continue;
            (temporary, held) = (name, taken);
            if (Directory.Exists(name))
                return;
            taken.Dispose();
        }
        throw new ArticleFileException($"{given}: the folder cannot be written: no temporary folder could be made in {parent}");
    }

    private string MoveIntoPlace(string made)
    {
        string path = given, folder = Folder;
        for (int number = 2; ; number++)
        {
            if (!Path.Exists(folder))
            {
                try
                {
                    Directory.Move(made, folder);
                    temporary = null;
                    return path;
                }
                catch (IOException) when (Path.Exists(folder))
                {
                    // Another program took the name.
                }
            }
            if (!mayTakeNext)
                throw new ArticleFileException($"{given}: the folder exists already: another program made it in the meantime");
            (path, folder) = ($"{given}-{number}", $"{Folder}-{number}");
        }
    }

    /// <summary>Deletes folders of killed programs, whose locks are free.</summary>
    private void RemoveAbandoned()
    {
        try
        {
            foreach (string folder in Directory.EnumerateDirectories(parent, ".xc2-*.tmp"))
            {
                if (!TemporaryNames().IsMatch(Path.GetFileName(folder)) || new DirectoryInfo(folder).LinkTarget is not null)
                    continue;
                using ArticleLock? abandoned = ArticleLock.TryTake(folder);
                if (abandoned is not null)
                    Directory.Delete(folder, recursive: true);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArticleFileException)
        {
            // Cleaning up is optional.
        }
    }

    private static string Reason(Exception error) => error is UnauthorizedAccessException ? "permission denied" : error.Message;

    [GeneratedRegex(@"\A\.xc2-[0-9a-f]{32}\.tmp\z", RegexOptions.CultureInvariant)]
    private static partial Regex TemporaryNames();
}

/// <summary>Keeps an article whose place cannot be written, so that generated text is not lost.</summary>
public static class ArticleRescue
{
    private const string Prefix = "xc2-article-";

    /// <summary>Writes the article into a new folder of the temporary folder, else of the user's own.</summary>
    /// <returns>The folder; null where neither can be written.</returns>
    public static string? Keep(ArticleHistory history, IReadOnlyList<ArticleOutput> outputs)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(outputs);
        foreach (string place in (ReadOnlySpan<string>)[Path.GetTempPath(), Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)])
        {
            string folder = Path.Combine(place, $"{Prefix}{Guid.NewGuid():N}");
            try
            {
                if (OperatingSystem.IsWindows())
                    Directory.CreateDirectory(folder);
                else
                    Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                FolderWriter.Fill(folder, history, outputs);
                return folder;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // The next place.
            }
        }
        return null;
    }
}
