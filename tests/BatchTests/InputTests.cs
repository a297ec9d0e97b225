using System.Formats.Tar;
using System.Text;
using XComposer2.Native.Batch;
using Xunit;

namespace XComposer2.Native.BatchTests;

/// <summary>Rows of inputs: what is read, and what is said of what cannot be read.</summary>
public sealed class InputTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Folder_has_its_pictures_in_the_order_of_their_paths()
    {
        string path = TestInputs.Folder(folder);
        Directory.CreateSymbolicLink(Path.Combine(path, "loop"), path);
        List<InputRow> rows = await ReadAsync(new FolderInput(path));
        Assert.Equal(["a 图.PNG", "b.png", "below/further/c.png", $"below/{new string('n', 120)}.png", "broken.jpg"], rows.Select(row => row.Id));
        Assert.Equal(("c", "below/further"), (rows[2].Fields["name"], rows[2].Fields["folder"]));
        Assert.Equal(Path.Combine(path, "b.png"), rows[1].Pictures[0].Name);
    }

    [Fact]
    public void Folder_without_pictures_is_refused() =>
        Assert.Contains("no pictures", Assert.Throws<BatchException>(() => new FolderInput(folder.Path).Count(TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task List_has_a_row_for_each_line()
    {
        List<InputRow> rows = await ReadAsync(new ListInput(TestInputs.List(folder)));
        Assert.Equal(["pictures/b.png", "pictures/missing.png", TestInputs.Picture(6), "pictures/below/further/c.png"], rows.Select(row => row.Id));
        Assert.Equal(TestInputs.Picture(6), rows[2].Pictures[0].Name);
        File.WriteAllBytes(folder.File("bad.txt"), [.. "a.png\n"u8, 0xFF, 0xFE, (byte)'\n', .. "b\0c\n"u8]);
        rows = await ReadAsync(new ListInput(folder.File("bad.txt")));
        Assert.EndsWith("bad.txt, line 2: expected a path in UTF-8", rows[1].Failure!.Message, StringComparison.Ordinal);
        Assert.EndsWith("bad.txt, line 3: expected a path, found a zero character", rows[2].Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_of_json_name_what_is_wrong_by_row_and_column()
    {
        string path = TestInputs.Lines(folder);
        List<InputRow> rows = await ReadAsync(new JsonLinesInput(path, new TableColumns()));
        Assert.Equal(15, rows.Count);
        Assert.Equal(["star", "path0"], [rows[0].Fields["shape"], rows[0].Fields["id"]]);
        Assert.Equal(File.ReadAllBytes(TestInputs.Picture(2)), rows[1].Pictures[0].Bytes!.Value.ToArray());
        Assert.Equal(File.ReadAllBytes(TestInputs.Picture(3)), rows[2].Pictures[0].Bytes!.Value.ToArray());
        Assert.Equal(File.ReadAllBytes(TestInputs.Picture(4)), rows[3].Pictures[0].Bytes!.Value.ToArray());
        Assert.Equal(2, rows[4].Pictures.Count);
        Assert.Equal(("What colour is the sky?", 0), (rows[5].Prompt, rows[5].Pictures.Count));
        Assert.StartsWith($"{path}, line 8, image: expected base64, found text that is not", rows[7].Failure!.Message, StringComparison.Ordinal);
        Assert.StartsWith($"{path}, line 9, image: is an address", rows[8].Failure!.Message, StringComparison.Ordinal);
        Assert.Equal("line 11", rows[10].Id);
        Assert.StartsWith($"{path}, line 13: expected an object", rows[12].Failure!.Message, StringComparison.Ordinal);
        Assert.Equal($"{path}, line 14: expected an object, found an array", rows[13].Failure!.Message);
        Assert.Contains("line 15: expected texts of whole characters", rows[14].Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Field_of_ten_megabytes_is_read_and_a_picture_of_that_size_too()
    {
        string path = folder.File("big.jsonl");
        string text = new('x', 10 << 20);
        File.WriteAllText(path, $"{{\"id\": \"big\", \"note\": \"{text}\", \"image\": \"{Convert.ToBase64String(new byte[10 << 20])}\"}}\n{{\"id\": \"next\"}}\n");
        List<InputRow> rows = await ReadAsync(new JsonLinesInput(path, new TableColumns()));
        Assert.Equal((text.Length, 10 << 20), (rows[0].Fields["note"].Length, rows[0].Pictures[0].Bytes!.Value.Length));
        Assert.Equal("next", rows[1].Id);
    }

    [Fact]
    public async Task Parquet_has_pictures_texts_and_numbers()
    {
        var input = new ParquetInput(await TestInputs.ParquetAsync(folder), new TableColumns());
        List<InputRow> rows = await ReadAsync(input);
        Assert.Equal(["r1", "r2", "r3", "r4"], rows.Select(row => row.Id));
        Assert.Equal(File.ReadAllBytes(TestInputs.Picture(1)), rows[0].Pictures[0].Bytes!.Value.ToArray());
        Assert.Equal(folder.File("four.png"), rows[1].Pictures[0].Name);
        Assert.Equal("2", rows[1].Fields["count"]);
        Assert.Equal(("What colour is the sky?", 0), (rows[3].Prompt, rows[3].Pictures.Count));
    }

    [Fact]
    public async Task Damaged_parquet_is_an_error_or_a_row_with_a_failure()
    {
        byte[] whole = File.ReadAllBytes(await TestInputs.ParquetAsync(folder));
        var random = new Random(7);
        int damaged = 0;
        for (int round = 0; round < 200; round++)
        {
            byte[] bytes = round % 4 == 0 ? whole[..random.Next(1, whole.Length)] : [.. whole];
            // The end has the structure: most of the changes go there.
            for (int change = 0; change < 3; change++)
                bytes[random.Next(2) == 0 ? random.Next(bytes.Length) : Math.Max(0, bytes.Length - 1 - random.Next(1200))] = (byte)random.Next(256);
            string path = folder.File($"damaged-{round}.parquet");
            File.WriteAllBytes(path, bytes);
            try
            {
                List<InputRow> rows = await ReadAsync(new ParquetInput(path, new TableColumns()));
                Assert.All(rows.Where(row => row.Failure is not null), row => Assert.Contains(path, row.Failure!.Message, StringComparison.Ordinal));
                damaged += rows.Exists(row => row.Failure is not null) ? 1 : 0;
            }
            catch (BatchException error)
            {
                Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
                damaged++;
            }

            File.Delete(path);
        }

        Assert.InRange(damaged, 50, 200);
    }

    [Theory]
    [InlineData("shard-0.tar", TarEntryFormat.Pax)]
    [InlineData("shard-0.tar", TarEntryFormat.Gnu)]
    [InlineData("shard-0.tar", TarEntryFormat.Ustar)]
    [InlineData("shard-0.tar.gz", TarEntryFormat.Pax)]
    [InlineData("shard-0.tgz", TarEntryFormat.Gnu)]
    public async Task Tar_has_a_row_for_neighbours_of_one_name(string name, TarEntryFormat format)
    {
        var input = new TarInput(TestInputs.Tar(folder, name, format), new TableColumns());
        List<InputRow> rows = await ReadAsync(input, counts: !name.EndsWith("gz", StringComparison.Ordinal));
        Assert.Equal(["000/a", "named", $"{new string('d', 60)}/{new string('f', 80)}", "last"], rows.Select(row => row.Id));
        Assert.Equal(("star", "a"), (rows[0].Fields["txt"], rows[0].Fields["name"]));
        Assert.Equal("square", rows[1].Fields["shape"]);
        Assert.Equal(File.ReadAllBytes(TestInputs.Picture(2)), rows[1].Pictures[0].Bytes!.Value.ToArray());
        Assert.Equal("What colour is the sky?", rows[3].Prompt);
    }

    [Fact]
    public async Task Truncated_tar_has_the_rows_before_the_cut_and_says_so()
    {
        byte[] whole = File.ReadAllBytes(TestInputs.Tar(folder));
        List<InputRow> all = await ReadAsync(new TarInput(TestInputs.Tar(folder), new TableColumns()));
        string path = folder.File("cut.tar");
        for (int length = 1; length < whole.Length - 1024; length += 97)
        {
            // An archive may end so.
            if (length % 512 == 0)
                continue;
            File.WriteAllBytes(path, whole[..length]);
            List<InputRow> rows = await ReadAsync(new TarInput(path, new TableColumns()));
            InputRow[] good = [.. rows.Where(row => row.Failure is null)];
            Assert.Equal(all.Take(good.Length).Select(row => row.Id), good.Select(row => row.Id));
            Assert.Contains("the rest of the archive is not read", rows[^1].Failure!.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Damaged_tar_is_invalid_data_and_claimed_sizes_allocate_nothing()
    {
        byte[] whole = File.ReadAllBytes(TestInputs.Tar(folder));
        var random = new Random(3);
        for (int round = 0; round < 500; round++)
        {
            byte[] bytes = [.. whole];
            for (int change = 0; change < 4; change++)
                bytes[random.Next(bytes.Length / 512) * 512 + random.Next(512)] = (byte)random.Next(256);
            if (round % 2 == 0)
                Seal(bytes, random.Next(4), round);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                var entries = new TarEntries(new MemoryStream(bytes));
                while (entries.Next() is not null)
                    _ = entries.Read(1L << 40);
            }
            catch (InvalidDataException error)
            {
                Assert.NotEmpty(error.Message);
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (12 * bytes.Length) + (1 << 20));
        }
    }

    [Theory]
    [InlineData("a.jpeg")]
    [InlineData("a.csv")]
    public void Input_of_an_unknown_kind_is_refused(string name)
    {
        File.WriteAllText(folder.File(name), "x");
        Assert.EndsWith("expected a folder, a list of files (.txt), .jsonl, .parquet, .tar or .tar.gz", Assert.Throws<BatchException>(() => BatchInputs.KindOf(folder.File(name))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Kind_is_that_of_name_and_content()
    {
        Assert.Equal(InputKind.Folder, BatchInputs.KindOf(folder.Path));
        Assert.Equal(InputKind.OpenAi, BatchInputs.KindOf(TestInputs.Requests(folder)));
        Assert.Equal(InputKind.JsonLines, BatchInputs.KindOf(TestInputs.Lines(folder)));
        Assert.Equal(InputKind.Tar, BatchInputs.KindOf(TestInputs.Tar(folder, "x.TAR")));
        Assert.EndsWith("nowhere.tar: no such file or folder", Assert.Throws<BatchException>(() => BatchInputs.KindOf(folder.File("nowhere.tar"))).Message, StringComparison.Ordinal);
    }

    /// <summary>A size and a kind that a header may claim, with a checksum that holds.</summary>
    private static void Seal(byte[] bytes, int header, int round)
    {
        Span<byte> block = bytes.AsSpan(header * 512, 512);
        string[] sizes = ["77777777777", "00000000000", "00017777777", "77777777776"];
        Encoding.ASCII.GetBytes(sizes[round / 2 % sizes.Length] + "\0", block.Slice(124, 12));
        block[156] = (byte)"0xLgKS5"[round / 2 % 7];
        block.Slice(148, 8).Fill((byte)' ');
        int sum = 0;
        foreach (byte value in block)
            sum += value;
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ", block.Slice(148, 8));
    }

    private static async Task<List<InputRow>> ReadAsync(IBatchInput input, bool counts = true)
    {
        List<InputRow> rows = [];
        await foreach (InputRow row in input.ReadAsync(TestContext.Current.CancellationToken))
            rows.Add(row);
        if (counts && rows.TrueForAll(row => row.Failure is null || !row.Failure.Message.Contains("not read", StringComparison.Ordinal)))
            Assert.Equal(rows.Count, input.Count(TestContext.Current.CancellationToken));
        return rows;
    }
}
