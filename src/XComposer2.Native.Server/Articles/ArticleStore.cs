using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Storage;

namespace XComposer2.Native.Server;

/// <summary>The articles of a server: one folder each, as those of <c>xc2 compose</c>. Every change is on disk before a client is told of it. Safe to use from several threads
/// and processes.</summary>
/// <param name="path">Made with the first article.</param>
internal sealed partial class ArticleStore(string path)
{
    private const string Letters = "abcdefghijkmnpqrstuvwxyz23456789";
    private const int IdLength = 12, MaximumListed = 10_000;

    private readonly string root = Path.GetFullPath(path);

    /// <summary>Makes a folder for an article that is not written yet.</summary>
    /// <exception cref="ArticleFileException">It cannot be written.</exception>
    public OpenArticle Create(Article article, CompositionProgress progress)
    {
        string id = RandomNumberGenerator.GetString(Letters, IdLength), folder = Path.Combine(root, id);
        var history = ArticleHistory.Begin(article);
        ArticleFolder.Create(folder, history, []);
        ArticleLock held = Take(folder);
        try
        {
            ProgressFile.Write(folder, progress);
            return new OpenArticle(id, folder, held, history, progress);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Opens an article to change it.</summary>
    /// <exception cref="ApiException">There is none of this name (404), or it is being changed (409).</exception>
    public OpenArticle Open(string id)
    {
        string folder = FolderOf(id);
        ArticleLock held = Take(folder);
        try
        {
            // Deleted or changed since it was found.
            _ = FolderOf(id);
            return new OpenArticle(id, folder, held, ArticleFolder.Open(folder), ProgressFile.Read(folder));
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Reads an article.</summary>
    /// <exception cref="ApiException">There is none of this name.</exception>
    public ArticleJson Read(string id)
    {
        string folder = FolderOf(id);
        return ArticleJson.Of(id, ArticleFolder.Open(folder), ProgressFile.Read(folder) is null, File.GetLastWriteTimeUtc(Path.Combine(folder, ArticleFolder.FileName)));
    }

    /// <summary>Deletes an article.</summary>
    /// <exception cref="ApiException">There is none of this name (404), or it is being changed (409).</exception>
    public void Delete(string id)
    {
        string folder = FolderOf(id);
        using ArticleLock held = Take(folder);
        ArticleFolder.Delete(folder, held);
    }

    /// <summary>All articles, the last changed first. Damaged ones are left out.</summary>
    public IReadOnlyList<ArticleEntryJson> List()
    {
        if (!Directory.Exists(root))
            return [];
        var entries = new List<(DateTime Updated, ArticleEntryJson Entry)>();
        foreach (string folder in Directory.EnumerateDirectories(root).Where(folder => Name().IsMatch(Path.GetFileName(folder))).Take(MaximumListed))
        {
            try
            {
                ArticleSummary summary = ArticleFolder.Summarize(folder);
                entries.Add((summary.Updated, ArticleEntryJson.Of(Path.GetFileName(folder), summary, ProgressFile.Read(folder) is null)));
            }
            catch (Exception error) when (error is ArticleFileException or IOException or UnauthorizedAccessException)
            {
                // No article, or one that only its owner can repair.
            }
        }

        return [.. entries.OrderByDescending(entry => entry.Updated).Select(entry => entry.Entry)];
    }

    /// <summary>The file of a picture.</summary>
    /// <exception cref="ApiException">There is no such article or picture.</exception>
    public byte[] ReadPicture(string id, string file)
    {
        string full = Path.Combine(FolderOf(id), ArticleFolder.PicturesFolder, file);
        if (!PictureFileName.IsOne(file) || !File.Exists(full))
            throw new ApiException(404, ApiException.InvalidRequest, "the article has no such picture") { Code = "picture_not_found" };
        return BoundedFile.Read(full, Model.ImageLimits.Default.MaxFileBytes);
    }

    /// <summary>The current state of an article.</summary>
    /// <exception cref="ApiException">There is none of this name.</exception>
    public Article Current(string id) => ArticleFolder.Open(FolderOf(id)).Current;

    private string FolderOf(string id)
    {
        string folder = Path.Combine(root, id);
        return Name().IsMatch(id) && new DirectoryInfo(folder) is { Exists: true, LinkTarget: null } && File.Exists(Path.Combine(folder, ArticleFolder.FileName))
            ? folder
            : throw new ApiException(404, ApiException.InvalidRequest, "there is no such article") { Code = "article_not_found" };
    }

    private static ArticleLock Take(string folder) => ArticleLock.TryTake(folder)
        ?? throw new ApiException(409, ApiException.InvalidRequest, "the article is being changed by another request or program") { Code = "article_busy" };

    // No name leads out of the folder, and temporary folders are no articles.
    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}

/// <summary>An article that one request may change. Disposing it lets others.</summary>
internal sealed class OpenArticle(string id, string folder, ArticleLock held, ArticleHistory history, CompositionProgress? progress) : IDisposable
{
    public ArticleHistory History { get; private set; } = history;

    /// <summary>Null if the article is complete.</summary>
    public CompositionProgress? Progress { get; private set; } = progress;

    /// <summary>Saves a state of a composition that goes on.</summary>
    public void SaveState(Article article) => Save(ArticleHistory.Begin(article), []);

    /// <summary>Saves a complete article with its page, Markdown and document.</summary>
    public void Save(ArticleHistory changed) => Save(changed, ArticleOutput.Standard);

    /// <summary>Notes how far a composition is. Always later than the article itself: what is lost in between is done again, never left out.</summary>
    public void Note(CompositionProgress? reached)
    {
        if (reached is null)
            ProgressFile.Delete(folder);
        else
            ProgressFile.Write(folder, reached);
        Progress = reached;
    }

    public ArticleJson ToJson() => ArticleJson.Of(id, History, Progress is null, DateTime.UtcNow);

    public void Dispose() => held.Dispose();

    private void Save(ArticleHistory changed, IReadOnlyList<ArticleOutput> outputs)
    {
        ArticleFolder.Save(folder, changed, outputs, held);
        History = changed;
    }
}

/// <summary>How far a composition is, and with which settings it goes on.</summary>
/// <param name="FinishedSteps">Steps after the text; null while it is written.</param>
/// <param name="Figures">As in <see cref="ArticleRequest.Figures"/>.</param>
/// <param name="Settings">Of the composer.</param>
internal sealed record CompositionProgress(int? FinishedSteps, int? Figures, ComposerSettings Settings)
{
    /// <summary>Steps after the text.</summary>
    public const int Steps = 3;
}

/// <summary>Settings of a composer, as far as requests have them.</summary>
/// <param name="Temperature">0 for the most likely token.</param>
/// <param name="TopP">Of every step.</param>
/// <param name="TopK">Of every step.</param>
/// <param name="RepetitionPenalty">Of every step.</param>
/// <param name="MaxTokens">Of the text.</param>
/// <param name="Candidates">For each figure.</param>
/// <param name="Meta">The model's system text precedes every prompt.</param>
internal sealed record ComposerSettings(float Temperature, float TopP, int TopK, float RepetitionPenalty, int MaxTokens, int Candidates, bool Meta)
{
    public static ComposerSettings Of(ComposerOptions options) => new(
        options.Sampling.Greedy ? 0 : options.Sampling.Temperature, options.Sampling.TopP, options.Sampling.TopK, options.Sampling.RepetitionPenalty, options.MaxArticleTokens, options.Candidates, options.Meta);

    public ComposerOptions ToOptions()
    {
        var defaults = new ComposerOptions();
        return defaults with
        {
            Sampling = defaults.Sampling with
            {
                Greedy = Temperature == 0, Temperature = Temperature == 0 ? defaults.Sampling.Temperature : Temperature, TopP = TopP, TopK = TopK, RepetitionPenalty = RepetitionPenalty,
            },
            MaxArticleTokens = MaxTokens,
            Candidates = Candidates,
            Meta = Meta,
        };
    }
}

/// <summary>composition.json in the folder of an article whose composition is not finished.</summary>
internal static class ProgressFile
{
    private const string Name = "composition.json";
    private const long MaximumBytes = 1 << 16;

    /// <returns>Null if there is none: the article is complete, or was never begun here.</returns>
    public static CompositionProgress? Read(string folder)
    {
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path))
            return null;
        try
        {
            CompositionProgress? read = JsonSerializer.Deserialize(BoundedFile.Read(path, MaximumBytes), ArticlesJson.Lines.CompositionProgress);
            if (read?.Settings is not null && read.FinishedSteps is null or (>= 0 and < CompositionProgress.Steps))
                return read;
        }
        catch (JsonException)
        {
            // Reported like a value out of range.
        }
        catch (ArticleFileException) when (!File.Exists(path))
        {
            // The composition was finished in the meantime.
            return null;
        }

        throw new ArticleFileException($"{path}: expected the settings of a composition; without this file the article counts as complete");
    }

    public static void Write(string folder, CompositionProgress progress)
    {
        string path = Path.Combine(folder, Name), temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(progress, ArticlesJson.Lines.CompositionProgress));
        File.Move(temporary, path, overwrite: true);
    }

    public static void Delete(string folder) => File.Delete(Path.Combine(folder, Name));
}
