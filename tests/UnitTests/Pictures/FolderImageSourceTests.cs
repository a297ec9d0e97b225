using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class FolderImageSourceTests : IDisposable
{
    private static readonly byte[] Red = TestPicture.Png(250, 10, 10);
    private static readonly byte[] Green = TestPicture.Png(10, 250, 10);
    private static readonly byte[] Blue = TestPicture.Png(10, 10, 250);

    private readonly GalleryFolder gallery = new();
    private readonly FakePictureModel model = new();

    public void Dispose() => gallery.Dispose();

    [Fact]
    public async Task Pictures_without_text_are_found_by_generated_captions_in_both_languages()
    {
        gallery.Add("000-1.png", Red);
        gallery.Add("IMG_0002.png", Green);
        gallery.Add("DCIM/3.png", Blue);
        FolderImageSource source = await gallery.OpenAsync(model);
        Assert.Equal(3, model.Captioned.Count);
        Assert.Equal((3, 3, 3), (source.Report.Pictures, source.Report.Encoded, source.Report.Captioned));
        Assert.Empty(source.Report.Notes);
        ImageCandidate red = Assert.Single(await Search(source, "a red circle"));
        Assert.Equal(("000-1.png", "000-1.png", "The image shows something red."), (red.Id, red.Name, red.Caption));
        Assert.Equal(Red, red.Bytes.ToArray());
        ImageCandidate blue = Assert.Single(await Search(source, "蓝色的方形"));
        Assert.Equal(("DCIM/3.png", "3.png", "图中有蓝色的东西。"), (blue.Id, blue.Name, blue.Caption));
        Assert.Empty(await Search(source, "an elephant"));
        Assert.Empty(await Search(source, ""));
    }

    [Fact]
    public async Task Captions_names_folders_and_metadata_are_searched_without_a_model()
    {
        gallery.Add("1.png", TestPicture.Png(200, 0, 0));
        gallery.Add("1.txt", "\uFEFFA harbour\r\nin the evening\u001b[31m");
        gallery.Add("2.png", TestPicture.Png(0, 200, 0));
        gallery.Add("2.png.caption", "a bridge");
        gallery.Add("3.png", TestPicture.Png(0, 0, 200, 4, ("tEXt", TestPicture.Latin("Description\0A lighthouse"))));
        gallery.Add("old mill_04.png", TestPicture.Png(200, 200, 0));
        gallery.Add("trip/5.png", TestPicture.Png(0, 200, 200));
        gallery.Add("trip/captions.json", """{"5.png": "a tent", "6.png": 7, "../1.png": "a trap"}""");
        gallery.Add("6.png", TestPicture.Png(200, 0, 200));
        gallery.Add("7.png", TestPicture.Png(0, 0, 0));
        gallery.Add("captions.csv", "file,caption\n\"6.png\",\"a \"\"big\"\" tower, seen from below\"\r\n./7.png,长城\nno such.png,x\n");
        FolderImageSource source = await gallery.OpenAsync(model);
        Assert.Empty(model.Captioned);
        Assert.Equal("1.png", Assert.Single(await Search(source, "harbours")).Id);
        Assert.Equal("A harbour in the evening [31m", Assert.Single(await Search(source, "evening")).Caption);
        Assert.Equal("2.png", Assert.Single(await Search(source, "bridge")).Id);
        Assert.Equal("3.png", Assert.Single(await Search(source, "lighthouse")).Id);
        Assert.Equal("old mill_04.png", Assert.Single(await Search(source, "mill")).Id);
        Assert.Equal("trip/5.png", Assert.Single(await Search(source, "trip")).Id);
        Assert.Equal("trip/5.png", Assert.Single(await Search(source, "tent")).Id);
        Assert.Equal("a \"big\" tower, seen from below", Assert.Single(await Search(source, "tower")).Caption);
        Assert.Equal("7.png", Assert.Single(await Search(source, "长城")).Id);
        Assert.Empty(await Search(source, "trap"));
    }

    [Fact]
    public async Task Only_the_best_of_similar_pictures_is_returned_and_exclusion_covers_similar_ones()
    {
        gallery.Add("red rose.png", Red);
        gallery.Add("red rose in a garden.png", TestPicture.Png(252, 10, 10));
        gallery.Add("copy of a rose.png", Red);
        gallery.Add("green rose.png", Green);
        FolderImageSource source = await gallery.OpenAsync(model);
        Assert.Equal(["red rose in a garden.png", "green rose.png"], (await Search(source, "rose in a garden")).Select(found => found.Id));
        Assert.Equal(["red rose.png"], (await Search(source, "red rose", 1)).Select(found => found.Id));
        ImageQuery query = new("rose", 4) { ExcludedIds = new HashSet<string> { "copy of a rose.png", "unknown" } };
        Assert.Equal(["green rose.png"], (await source.SearchAsync(query, TestContext.Current.CancellationToken)).Select(found => found.Id));
    }

    [Fact]
    public async Task Only_new_or_changed_pictures_are_processed_again()
    {
        gallery.Add("1.png", Red);
        gallery.Add("2.png", Green);
        gallery.Add("3.png", Blue);
        await gallery.OpenAsync(model);
        model.Encoded.Clear();
        model.Captioned.Clear();
        byte[] index = File.ReadAllBytes(gallery.IndexPath);
        Assert.Equal(0, (await gallery.OpenAsync(model)).Report.Encoded);
        Assert.Equal(index, File.ReadAllBytes(gallery.IndexPath));

        File.SetLastWriteTimeUtc(gallery.PathOf("1.png"), DateTime.UtcNow.AddDays(1));
        File.Move(gallery.PathOf("2.png"), gallery.PathOf("4.png"));
        gallery.Add("3.png", TestPicture.Png(10, 240, 240));
        gallery.Add("5.png", TestPicture.Png(240, 240, 10));
        GalleryReport report = (await gallery.OpenAsync(model)).Report;
        Assert.Equal(["3.png", "5.png"], model.Encoded);
        Assert.Equal(["3.png", "5.png"], model.Captioned);
        Assert.Equal((4, 2, 2, 1), (report.Pictures, report.Encoded, report.Captioned, report.Removed));
        Assert.Equal(0, (await gallery.OpenAsync(model)).Report.Encoded);
        File.Delete(gallery.PathOf("5.png"));
        Assert.Equal(1, (await gallery.OpenAsync(model)).Report.Removed);
        Assert.Equal(0, (await gallery.OpenAsync(model)).Report.Removed);
    }

    [Fact]
    public async Task Removed_sidecar_caption_is_replaced_by_a_generated_one()
    {
        gallery.Add("1.png", Red);
        gallery.Add("1.txt", "a rose");
        await gallery.OpenAsync(model);
        Assert.Empty(model.Captioned);
        File.Delete(gallery.PathOf("1.txt"));
        FolderImageSource source = await gallery.OpenAsync(model);
        Assert.Equal(["1.png"], model.Captioned);
        Assert.Single(model.Encoded);
        Assert.Single(await Search(source, "red"));
        Assert.Empty((await gallery.OpenAsync(model, gallery.Options with { WriteCaptions = false })).Report.Notes);
    }

    [Fact]
    public async Task Damaged_pictures_are_skipped_with_a_note()
    {
        gallery.Add("1.png", Red);
        gallery.Add("2.png", [.. Green[..^30]]);
        gallery.Add("3.jpg", "no picture");
        gallery.Add("4.gif", Array.Empty<byte>());
        gallery.Add("5.png", TestPicture.Png(1, 1, 1, 30));
        FolderImageSource source = await gallery.OpenAsync(model, gallery.Options with { Limits = new(500, 1 << 20) });
        Assert.Equal(1, source.Report.Pictures);
        Assert.Equal(["2.png: ", "3.jpg: ", "4.gif: ", "5.png: "], source.Report.Notes.Select(note => note[..7]));
        Assert.Contains("limit is 500", source.Report.Notes[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Folder_without_usable_pictures_is_rejected()
    {
        Assert.Contains("no pictures", (await Refused(gallery.Root)).Message, StringComparison.Ordinal);
        gallery.Add("notes.md", "text");
        Assert.Contains("found 1 other", (await Refused(gallery.Root)).Message, StringComparison.Ordinal);
        Assert.Contains("found a file", (await Refused(gallery.PathOf("notes.md"))).Message, StringComparison.Ordinal);
        Assert.Contains("no such folder", (await Refused(gallery.PathOf("nowhere"))).Message, StringComparison.Ordinal);
        gallery.Add("1.png", "no picture");
        Assert.Contains("none of its 1 pictures can be used: 1.png", (await Refused(gallery.Root)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelled_indexing_keeps_finished_entries()
    {
        for (int number = 0; number < 6; number++)
            gallery.Add($"{number}.png", TestPicture.Png((byte)(number * 40), 10, 250));
        using CancellationTokenSource source = new();
        model.Before = name => _ = name == "3.png" ? source.CancelAsync() : null;
        List<GalleryProgress> seen = [];
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gallery.OpenAsync(model, progress: new Reports(seen), cancellation: source.Token));
        Assert.Equal([new(1, 6, "0.png"), new(2, 6, "1.png"), new(3, 6, "2.png")], seen);
        model.Before = _ => { };
        model.Encoded.Clear();
        Assert.Equal(6, (await gallery.OpenAsync(model)).Report.Pictures);
        Assert.Equal(["3.png", "4.png", "5.png"], model.Encoded);
        Assert.Empty(Directory.GetFiles(gallery.Root, "*.tmp"));
    }

    [Fact]
    public async Task Model_failure_keeps_finished_entries()
    {
        gallery.Add("1.png", Red);
        gallery.Add("2.png", Green);
        model.Before = name => _ = name == "2.png" ? throw new EngineException("the device is gone") : 0;
        await Assert.ThrowsAsync<EngineException>(() => gallery.OpenAsync(model));
        model.Before = _ => { };
        model.Encoded.Clear();
        await gallery.OpenAsync(model);
        Assert.Equal(["2.png"], model.Encoded);
    }

    [Fact]
    public async Task Damaged_and_foreign_indices_are_rebuilt_with_a_note()
    {
        gallery.Add("1.png", Red);
        await gallery.OpenAsync(model);
        byte[] whole = File.ReadAllBytes(gallery.IndexPath);
        foreach ((byte[] index, string reason) in new[] { (whole[..^5], "damaged"), ("hello"u8.ToArray(), "no index"), ([.. whole, 0], "damaged") })
        {
            File.WriteAllBytes(gallery.IndexPath, index);
            GalleryReport report = (await gallery.OpenAsync(model)).Report;
            Assert.Contains(reason, Assert.Single(report.Notes), StringComparison.Ordinal);
            Assert.Equal(1, report.Encoded);
            Assert.Equal(whole, File.ReadAllBytes(gallery.IndexPath));
        }

        FakePictureModel other = new() { Fingerprint = "fake 2" };
        GalleryReport foreign = (await gallery.OpenAsync(other)).Report;
        Assert.Contains("another model", Assert.Single(foreign.Notes), StringComparison.Ordinal);
        Assert.Equal(1, foreign.Encoded);
        Assert.Empty((await gallery.OpenAsync(other)).Report.Notes);
    }

    [Fact]
    public async Task Read_only_gallery_stores_its_index_in_the_cache_folder()
    {
        gallery.Add("1.png", Red);
        Directory.CreateDirectory(gallery.IndexPath);
        GalleryReport report = (await gallery.OpenAsync(model)).Report;
        Assert.StartsWith(gallery.Options.CacheFolder!, report.IndexFile, StringComparison.Ordinal);
        Assert.Empty(report.Notes);
        Assert.Equal(0, (await gallery.OpenAsync(model)).Report.Encoded);
        Directory.Delete(gallery.Options.CacheFolder!, recursive: true);
        File.WriteAllText(gallery.Options.CacheFolder!, "in the way");
        GalleryReport nowhere = (await gallery.OpenAsync(model)).Report;
        Assert.Null(nowhere.IndexFile);
        Assert.Contains("cannot be kept", Assert.Single(nowhere.Notes), StringComparison.Ordinal);
        Assert.Equal(1, nowhere.Pictures);
    }

    [Fact]
    public async Task Links_and_hidden_files_are_skipped()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "symbolic links require privileges on Windows");
        gallery.Add("1.png", Red);
        gallery.Add(".hidden.png", Green);
        gallery.Add(".git/2.png", Green);
        File.WriteAllBytes(Path.Combine(gallery.Outside, "secret.png"), Blue);
        File.WriteAllText(Path.Combine(gallery.Outside, "secret.txt"), "password");
        File.CreateSymbolicLink(gallery.PathOf("3.png"), Path.Combine(gallery.Outside, "secret.png"));
        File.CreateSymbolicLink(gallery.PathOf("1.txt"), Path.Combine(gallery.Outside, "secret.txt"));
        Directory.CreateSymbolicLink(gallery.PathOf("out"), gallery.Outside);
        Directory.CreateSymbolicLink(gallery.PathOf("loop"), gallery.Root);
        FolderImageSource source = await gallery.OpenAsync(model);
        Assert.Equal(["1.png"], model.Encoded);
        Assert.Contains("4 links were not followed", Assert.Single(source.Report.Notes), StringComparison.Ordinal);
        Assert.Empty(await Search(source, "password"));
    }

    /// <summary>Names that are not UTF-8 (GBK here), line breaks, control and direction characters; empty, huge, damaged, foreign and unreadable files; pipes; folders with picture names.</summary>
    [Fact]
    public async Task Bad_files_of_every_kind_and_name_are_left_out_with_notes()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("names and files of this kind do not exist on Windows");
        gallery.Add("good.png", TestPicture.Png(250, 10, 10));
        gallery.Add("line\nbreak\u001b[31m\u202e.png", TestPicture.Png(10, 250, 10));
        gallery.Add("\uFFFD.png", TestPicture.Png(10, 10, 250));
        gallery.Add("back\\slash.png", TestPicture.Png(250, 250, 10));
        gallery.Add("bad\nname.png", "not a picture");
        gallery.Add("empty.png", "");
        gallery.Add("cut.jpg", TestPhoto.Phone(64, 64)[..1000]);
        gallery.Add("page.webp", "<!DOCTYPE html>");
        gallery.Add("folder.png/inner.png", TestPicture.Png(250, 10, 250));
        gallery.Add("captions.json", "[[[");
        using (FileStream huge = File.Create(gallery.PathOf("huge.png")))
            huge.SetLength(3L << 30);
        Shell("""printf 'x' > "$(printf '\275\310.png')"; printf 'x' > "$(printf '\275\310.txt')"; mkdir "$(printf 'dir\377')"; cp good.png "$(printf 'dir\377/a.png')"; ln -s "$(printf '\376')" "$(printf 'link\376.png')"; mkfifo pipe.png captions.csv; cp good.png secret.png; chmod 000 secret.png; mkdir closed; cp good.png closed/a.png; chmod 000 closed""");

        FolderImageSource source = await gallery.OpenAsync(new FakePictureModel());
        IReadOnlyList<string> notes = source.Report.Notes;
        // Root reads everything.
        int extra = Environment.UserName == "root" ? 2 : 0;
        Assert.Equal(5 + extra, source.Report.Pictures);
        foreach (string part in (string[])["bad name.png", "empty.png", "cut.jpg", "page.webp", "huge.png", "pipe.png", "captions.json"])
            Assert.Contains(notes, note => note.Contains(part, StringComparison.Ordinal));
        Assert.Contains(notes, note => note.Contains("its name is not UTF-8", StringComparison.Ordinal));
        Assert.All(notes, note => Assert.DoesNotContain(note, letter => char.IsControl(letter) || letter == '\u202e'));
        foreach (string wanted in (string[])["red", "green", "blue"])
            Assert.NotEmpty(await source.SearchAsync(new ImageQuery($"something {wanted}", 4), TestContext.Current.CancellationToken));

        // A second run reads the index, whatever names are in it.
        FolderImageSource again = await gallery.OpenAsync(new FakePictureModel());
        Assert.Equal((5 + extra, 0), (again.Report.Pictures, again.Report.Encoded));
        // The base library cannot delete names that are not UTF-8.
        Shell("chmod 700 closed; rm -rf ./*");
    }

    [Fact]
    public async Task Unforeseen_failure_of_one_picture_is_a_note()
    {
        gallery.Add("a.png", Red);
        gallery.Add("b.png", Green);
        model.Before = name => _ = name == "b.png" ? throw new InvalidDataException("unforeseen") : 0;
        FolderImageSource source = await gallery.OpenAsync(model);
        Assert.Equal(1, source.Report.Pictures);
        Assert.Equal(["b.png: unforeseen"], source.Report.Notes);
    }

    private void Shell(string script)
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("sh", ["-e", "-c", script]) { WorkingDirectory = gallery.Root })!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task Named_pipe_does_not_block()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/mkfifo"), "mkfifo is not installed");
        gallery.Add("1.png", Red);
        foreach (string name in new[] { "2.png", "1.txt", "captions.json" })
            using (System.Diagnostics.Process process = System.Diagnostics.Process.Start("/usr/bin/mkfifo", gallery.PathOf(name)))
                await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        FolderImageSource source = await gallery.OpenAsync(model);
        Assert.Equal(["captions.json: ", "2.png: the file"], source.Report.Notes.Select(note => note[..15]));
    }

    [Fact]
    public async Task Options_out_of_range_are_rejected()
    {
        gallery.Add("1.png", Red);
        await Assert.ThrowsAsync<EngineException>(() => gallery.OpenAsync(model, gallery.Options with { DuplicateSimilarity = 0 }));
        await Assert.ThrowsAsync<EngineException>(() => gallery.OpenAsync(model, gallery.Options with { MaxPictures = 0 }));
    }

    [Fact]
    public async Task Limits_on_pictures_and_depth_apply_with_notes()
    {
        gallery.Add("1.png", Red);
        gallery.Add("2.png", Green);
        gallery.Add("a/b/c/4.png", Blue);
        gallery.Add("5.heic", Blue);
        GalleryReport report = (await gallery.OpenAsync(model, gallery.Options with { MaxPictures = 1, MaxDepth = 2 })).Report;
        Assert.Equal(1, report.Pictures);
        Assert.Collection(report.Notes,
            note => Assert.Contains("a/b/c: not entered", note, StringComparison.Ordinal),
            note => Assert.Contains("1 pictures over the limit", note, StringComparison.Ordinal),
            note => Assert.Contains("1 files .heic", note, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Picture_changed_or_removed_after_opening_is_skipped()
    {
        gallery.Add("red rose.png", Red);
        gallery.Add("green rose.png", Green);
        gallery.Add("blue rose.png", Blue);
        FolderImageSource source = await gallery.OpenAsync(model);
        File.Delete(gallery.PathOf("red rose.png"));
        File.WriteAllBytes(gallery.PathOf("green rose.png"), Blue);
        Assert.Equal(["blue rose.png"], (await Search(source, "rose")).Select(found => found.Id));
    }

    [Theory]
    [InlineData("captions.json", "[1, {\"file\": \"1.png\"}, {\"file\": \"1.png\", \"caption\": \"a rose\"}]", "rose", null)]
    [InlineData("captions.json", "{\"1.png\": \"\\ud800\"}", null, "captions.json: not used")]
    [InlineData("captions.json", "\"text\"", null, "captions.json: not used")]
    [InlineData("captions.json", "{\"1.png\": ", null, "captions.json: not used")]
    [InlineData("captions.csv", "\"1.png\",\"a rose that never closes", "rose", null)]
    [InlineData("captions.csv", "1.png", null, null)]
    public async Task Valid_entries_of_caption_tables_are_used(string file, string content, string? word, string? note)
    {
        gallery.Add("1.png", Red);
        gallery.Add(file, content);
        FolderImageSource source = await gallery.OpenAsync(model);
        Assert.Equal(word is null ? 1 : 0, model.Captioned.Count);
        if (word is not null)
            Assert.Single(await Search(source, word));
        if (note is null)
            Assert.Empty(source.Report.Notes);
        else
            Assert.StartsWith(note, Assert.Single(source.Report.Notes), StringComparison.Ordinal);
    }

    private static ValueTask<IReadOnlyList<ImageCandidate>> Search(FolderImageSource source, string text, int count = 4) =>
        source.SearchAsync(new ImageQuery(text, count), TestContext.Current.CancellationToken);

    private Task<ImageSourceException> Refused(string folder) =>
        Assert.ThrowsAsync<ImageSourceException>(() => FolderImageSource.OpenAsync(folder, model, gallery.Options, null, TestContext.Current.CancellationToken));

    private sealed class Reports(List<GalleryProgress> seen) : IProgress<GalleryProgress>
    {
        public void Report(GalleryProgress value) => seen.Add(value);
    }
}
