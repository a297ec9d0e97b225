using System.Text;
using XComposer2.Native.Composition;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Locking, leftovers, rescue, and cost proportional to the size of the folder.</summary>
public sealed class ArticleStorageTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("xc2-storage").FullName;

    private string Folder => Path.Combine(root, "article");

    private static ArticleHistory History => ArticleHistory.Begin(CompositionPictures.Article("one", "two").WithFigure(1, CompositionPictures.Shown(0)));

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Lock_is_exclusive_and_leaves_no_file()
    {
        Directory.CreateDirectory(Folder);
        using (ArticleLock? first = ArticleLock.TryTake(Folder))
        {
            Assert.NotNull(first);
            Assert.Null(ArticleLock.TryTake(Folder));
        }
        using ArticleLock? second = ArticleLock.TryTake(Folder);
        Assert.NotNull(second);
        if (!OperatingSystem.IsWindows())
            Assert.Empty(Directory.EnumerateFileSystemEntries(Folder));
        Assert.Throws<ArticleFileException>(() => ArticleLock.TryTake(Path.Combine(root, "absent")));
    }

    [Fact]
    public async Task Waiting_for_the_lock_is_reported_once_and_can_be_cancelled()
    {
        ArticleFolder.Create(Folder, History, []);
        using ArticleLock held = await ArticleFolder.LockAsync(Folder, cancellationToken: TestContext.Current.CancellationToken);
        using CancellationTokenSource stop = new();
        int told = 0;
        Task<ArticleLock> waiting = ArticleFolder.LockAsync(Folder, () => told++, stop.Token);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.Equal((1, false), (told, waiting.IsCompleted));
        await stop.CancelAsync();
        await Assert.ThrowsAsync<TaskCanceledException>(() => waiting);
    }

    /// <summary>Rounds of four writers, with a concurrent reader.</summary>
    [Theory]
    [InlineData(6)]
    public async Task Concurrent_changes_are_all_kept_and_the_article_always_opens(int rounds)
    {
        ArticleFolder.Create(Folder, ArticleHistory.Begin(CompositionPictures.Article("start")), ArticleOutput.Standard);
        using CancellationTokenSource done = new();
        Task<int> reading = Task.Run(() =>
        {
            int read = 0;
            for (; !done.IsCancellationRequested; read++)
                Assert.NotEmpty(ArticleFolder.Open(Folder).States);
            return read;
        }, TestContext.Current.CancellationToken);
        for (int round = 0; round < rounds; round++)
            await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(() => ChangeAsync($"change {round} {writer}", (round + writer) % 5))));
        await done.CancelAsync();

        Assert.True(await reading > 0);
        string[] changes = [.. ArticleFolder.Open(Folder).States.Select(state => state.Change)];
        Assert.Equal([.. Enumerable.Range(0, rounds * 4).Select(i => $"change {i / 4} {i % 4}")], changes.Skip(1).Order(StringComparer.Ordinal));
        Assert.Empty(Directory.EnumerateFiles(Folder, "*.tmp", SearchOption.AllDirectories));
    }

    [Fact]
    public void Next_save_deletes_leftover_files_and_keeps_others()
    {
        ArticleFolder.Create(Folder, History, ArticleOutput.Standard);
        string picture = CompositionPictures.Shown(0).Picture!.FileName;
        string[] left = ["article.json.1.tmp", $"article.html.{Guid.NewGuid():N}.tmp", $"pictures/{picture}.4242.tmp", $"pictures/{picture}.{Guid.NewGuid():N}.tmp"];
        string[] mine = ["notes.1.tmp", "article.json.tmp", "pictures/mine.1.tmp", "article.json.x.tmp"];
        foreach (string name in left.Concat(mine))
            File.WriteAllText(Path.Combine(Folder, name), "left");
        ArticleFolder.Save(Folder, History, ArticleOutput.Standard);

        Assert.All(left, name => Assert.False(File.Exists(Path.Combine(Folder, name)), name));
        Assert.All(mine, name => Assert.True(File.Exists(Path.Combine(Folder, name)), name));
    }

    [Fact]
    public void Leftover_folders_are_deleted_and_used_ones_are_kept()
    {
        string left = Path.Combine(root, $".xc2-{Guid.NewGuid():N}.tmp"), other = Path.Combine(root, ".xc2-other.tmp");
        Directory.CreateDirectory(Path.Combine(left, "pictures"));
        Directory.CreateDirectory(other);
        using ArticlePlace first = ArticlePlace.Reserve(Path.Combine(root, "first"));
        using ArticlePlace second = ArticlePlace.Reserve(Path.Combine(root, "second"));

        Assert.False(Directory.Exists(left));
        Assert.True(Directory.Exists(other));
        first.Commit(History, []);
        second.Commit(History, []);
        Assert.Equal([".xc2-other.tmp", "first", "second"], Directory.EnumerateDirectories(root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Second_article_with_the_default_name_takes_the_next_one()
    {
        using ArticlePlace first = ArticlePlace.ReserveNext(Folder), second = ArticlePlace.ReserveNext(Folder);
        Assert.Equal(Folder, first.Commit(History, []));
        Assert.Equal(Folder + "-2", second.Commit(History, []));
        Assert.Equal(2, ArticleFolder.Open(Folder + "-2").Current.Sections.Count);
    }

    [Fact]
    public void Name_taken_in_the_meantime_is_rejected_without_leftovers()
    {
        using (ArticlePlace place = ArticlePlace.Reserve(Folder))
        {
            Directory.CreateDirectory(Folder);
            Assert.Contains("exists already", Assert.Throws<ArticleFileException>(() => place.Commit(History, [])).Message, StringComparison.Ordinal);
        }
        Assert.Equal(["article"], Directory.EnumerateFileSystemEntries(root).Select(Path.GetFileName));
    }

    [Fact]
    public void Unwritable_place_is_rejected_before_composition_without_leftovers()
    {
        File.WriteAllText(Path.Combine(root, "file"), "");
        foreach (string path in (string[])[Path.Combine(root, "file", "article"), Path.Combine(root, new string('n', 300)), "/proc/xc2-article"])
            Assert.StartsWith($"{path}: ", Assert.Throws<ArticleFileException>(() => ArticlePlace.Reserve(path)).Message, StringComparison.Ordinal);
        ArticlePlace.Reserve(Path.Combine(root, "new", "folders", "article")).Dispose();
        Assert.Equal(["file"], Directory.EnumerateFileSystemEntries(root).Select(Path.GetFileName));
    }

    [Fact]
    public void Rescued_article_is_complete_and_private()
    {
        string? kept = ArticleRescue.Keep(History, ArticleOutput.Standard);
        Assert.NotNull(kept);
        try
        {
            Assert.Equal("one", ArticleFolder.Open(kept).Current.Sections[0].Text);
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(kept));
        }
        finally
        {
            Directory.Delete(kept, recursive: true);
        }
    }

    [Fact]
    public void Planted_link_in_place_of_a_temporary_file_is_not_followed()
    {
        ArticleFolder.Create(Folder, History, ArticleOutput.Standard);
        string secret = Path.Combine(root, "secret");
        File.WriteAllText(secret, "secret");
        foreach (string name in (string[])["article.json", "article.html"])
            File.CreateSymbolicLink(Path.Combine(Folder, $"{name}.{Environment.ProcessId}.tmp"), secret);
        ArticleFolder.Save(Folder, History, ArticleOutput.Standard);
        Assert.Equal("secret", File.ReadAllText(secret));
    }

    [Fact]
    public void Picture_with_many_names_is_read_once()
    {
        const int names = 4096;
        byte[] picture = [.. CompositionPictures.Bytes(0), .. new byte[1 << 20]];
        ArticlePicture own = ArticlePicture.Restore("own", "0", "x", null, picture);
        ArticleFolder.Create(Folder, ArticleHistory.Begin(CompositionPictures.Article("one") with { OwnPictures = [own] }), []);
        string json = Path.Combine(Folder, "article.json"), text = File.ReadAllText(json);
        int start = text.IndexOf("\"pictures\": [", StringComparison.Ordinal) + "\"pictures\": [".Length, end = text.IndexOf(']', start);
        string entry = text[start..end].Trim();
        File.WriteAllText(json, text[..start] + string.Join(',', Enumerable.Range(0, names).Select(i => entry.Replace("\"id\": \"0\"", $"\"id\": \"{i}\"", StringComparison.Ordinal))) + text[end..]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        ArticleHistory opened = ArticleFolder.Open(Folder);

        Assert.Single(opened.Current.OwnPictures);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 40L << 20);
    }

    [Fact]
    public void Page_size_is_bounded_for_repeated_pictures()
    {
        byte[] picture = [.. CompositionPictures.Bytes(0), .. new byte[1 << 20]];
        ArticleFigure figure = new() { Caption = "c", Candidates = [ArticlePicture.Restore("own", "0", "x", null, picture)], ChosenIndex = 0 };
        Article article = new() { Instruction = "i", Sections = [.. Enumerable.Range(0, 500).Select(i => new ArticleSection($"section {i}", figure))] };
        using MemoryStream page = new();
        ArticlePage.Write(article, page);

        Assert.InRange(page.Length, picture.Length, 16L * picture.Length);
        Assert.Equal(500, Encoding.UTF8.GetString(page.ToArray()).Split("<figure").Length - 1);
    }

    private async Task ChangeAsync(string change, int picture)
    {
        using ArticleLock turn = await ArticleFolder.LockAsync(Folder);
        ArticleHistory history = ArticleFolder.Open(Folder);
        ArticleFolder.Save(Folder, history.Apply(change, history.Current.WithFigure(0, CompositionPictures.Shown(picture))), ArticleOutput.Standard, turn);
    }
}
