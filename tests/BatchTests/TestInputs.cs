using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Parquet;
using Parquet.Schema;
using XComposer2.Native.UnitTests;

namespace XComposer2.Native.BatchTests;

/// <summary>Inputs of every kind, with the demo's pictures and damaged rows.</summary>
internal static class TestInputs
{
    public static string Picture(int number) => TestPaths.Repository($"tools/demo/pictures/shapes-{number}.png");

    public static string Base64(int number) => Convert.ToBase64String(File.ReadAllBytes(Picture(number)));

    /// <summary>Five rows: two pictures, a broken one, one in a folder below, and a long name.</summary>
    public static string Folder(TemporaryFolder at)
    {
        string folder = at.File("pictures");
        Directory.CreateDirectory(Path.Combine(folder, "below", "further"));
        File.Copy(Picture(1), Path.Combine(folder, "b.png"));
        File.Copy(Picture(2), Path.Combine(folder, "a 图.PNG"));
        File.Copy(Picture(3), Path.Combine(folder, "below", "further", "c.png"));
        File.Copy(Picture(4), Path.Combine(folder, "below", $"{new string('n', 120)}.png"));
        File.WriteAllText(Path.Combine(folder, "broken.jpg"), "not a picture");
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "no picture");
        File.Copy(Picture(5), Path.Combine(folder, ".hidden.png"));
        return folder;
    }

    public static string List(TemporaryFolder at)
    {
        _ = Folder(at);
        string path = at.File("list.txt");
        File.WriteAllText(path, $"pictures/b.png\n\npictures/missing.png\r\n{Picture(6)}\n  pictures/below/further/c.png");
        return path;
    }

    /// <summary>Rows of every form, and of every kind of damage.</summary>
    public static string Lines(TemporaryFolder at, int copies = 1)
    {
        File.Copy(Picture(1), at.File("one.png"), overwrite: true);
        List<string> lines = [];
        for (int copy = 0; copy < copies; copy++)
        {
            lines.AddRange(
            [
                Row(new { id = $"path{copy}", image = "one.png", shape = "star" }),
                Row(new { id = $"url{copy}", image = "data:image/png;base64," + Base64(2), shape = "square" }),
                Row(new { id = $"base64{copy}", image = Base64(3), shape = "circle", prompt = "What shape is this?" }),
                Row(new { id = $"struct{copy}", image = new { bytes = Base64(4), path = "x.png" }, shape = "star" }),
                Row(new { id = $"two{copy}", image = new[] { "one.png", "data:image/png;base64," + Base64(5) }, shape = "star", prompt = "Describe these images." }),
                Row(new { id = $"text{copy}", prompt = "What colour is the sky?", shape = "none" }),
                Row(new { id = $"missing{copy}", image = "nowhere.png", shape = "none" }),
                Row(new { id = $"broken{copy}", image = "data:image/png;base64,%%%", shape = "none" }),
                Row(new { id = $"address{copy}", image = "https://example.com/a.png", shape = "none" }),
                Row(new { id = $"neither{copy}", shape = "none" }),
                Row(new { image = "one.png" }),
                Row(new { id = $"null{copy}", image = (string?)null, shape = "none" }),
                "{\"id\": \"cut",
                "[1, 2]",
                "{\"id\": \"half\", \"prompt\": \"\\ud800\"}",
            ]);
        }

        string path = at.File("rows.jsonl");
        File.WriteAllText(path, string.Join('\n', lines) + "\n");
        return path;
    }

    /// <summary>Four rows in two groups: a struct of bytes and path, texts, numbers.</summary>
    public static async Task<string> ParquetAsync(TemporaryFolder at)
    {
        string path = at.File("rows.parquet");
        File.Copy(Picture(4), at.File("four.png"), overwrite: true);
        var schema = new ParquetSchema(new StructField("image", new DataField<byte[]>("bytes"), new DataField<string>("path")), new DataField<string>("id"), new DataField<string>("shape"), new DataField<int>("count"), new DataField<string>("prompt"));
        DataField[] fields = schema.GetDataFields();
        await using FileStream file = File.Create(path);
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(schema, file);
        (byte[]?, string?, string, string, int, string?)[][] groups =
        [
            [(File.ReadAllBytes(Picture(1)), "one.png", "r1", "star", 1, null), (null, "four.png", "r2", "star", 2, null), ([1, 2, 3], null, "r3", "none", 3, null)],
            [(null, null, "r4", "none", 4, "What colour is the sky?")],
        ];
        foreach ((byte[]?, string?, string, string, int, string?)[] rows in groups)
        {
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            await group.WriteAsync(fields[0], (IReadOnlyCollection<byte[]>)[.. rows.Select(row => row.Item1)!]);
            await group.WriteAsync(fields[1], (IReadOnlyCollection<string>)[.. rows.Select(row => row.Item2)!]);
            await group.WriteAsync(fields[2], (IReadOnlyCollection<string>)[.. rows.Select(row => row.Item3)]);
            await group.WriteAsync(fields[3], (IReadOnlyCollection<string>)[.. rows.Select(row => row.Item4)]);
            await group.WriteAsync<int>(fields[4], rows.Select(row => row.Item5).ToArray());
            await group.WriteAsync(fields[5], (IReadOnlyCollection<string>)[.. rows.Select(row => row.Item6)!]);
        }

        return path;
    }

    /// <summary>Four samples: with a caption, with a json file, a broken picture, and text alone.</summary>
    public static string Tar(TemporaryFolder at, string name = "shard-0.tar", TarEntryFormat format = TarEntryFormat.Pax)
    {
        string path = at.File(name);
        using FileStream file = File.Create(path);
        using Stream content = name.EndsWith("gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Fastest) : file;
        using TarWriter writer = new(content, format, leaveOpen: true);
        Add("000/a.png", File.ReadAllBytes(Picture(1)));
        Add("000/a.txt", "star"u8.ToArray());
        Add("../../escape.png", File.ReadAllBytes(Picture(2)));
        Add("../../escape.json", "{\"shape\": \"square\", \"id\": \"named\"}"u8.ToArray());
        Add($"{new string('d', 60)}/{new string('f', 80)}.jpg", "broken"u8.ToArray());
        Add("last.txt", "text alone"u8.ToArray());
        Add("last.prompt", "What colour is the sky?"u8.ToArray());
        return path;

        void Add(string entryName, byte[] bytes)
        {
            TarEntry entry = format switch
            {
                TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, entryName),
                TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, entryName),
                TarEntryFormat.V7 => new V7TarEntry(TarEntryType.V7RegularFile, entryName),
                _ => new PaxTarEntry(TarEntryType.RegularFile, entryName),
            };
            entry.DataStream = new MemoryStream(bytes);
            writer.WriteEntry(entry);
        }
    }

    /// <summary>Requests of OpenAI's batch API, good and malformed.</summary>
    public static string Requests(TemporaryFolder at)
    {
        string path = at.File("requests.jsonl");
        object[] picture = [new { type = "image_url", image_url = new { url = "data:image/png;base64," + Base64(1) } }, new { type = "text", text = "Describe this image." }];
        File.WriteAllText(path, string.Join('\n',
        [
            Request("good", new { model = "any", max_tokens = 30, temperature = 0, messages = new[] { new { role = "user", content = picture } } }),
            Request("text", new { max_tokens = 5, temperature = 0, messages = new[] { new { role = "user", content = "What colour is the sky?" } } }),
            Request("drawn", new { max_tokens = 8, messages = new[] { new { role = "user", content = "What shape is this?" } } }),
            Request("tools", new { tools = new[] { new { type = "function" } }, messages = new[] { new { role = "user", content = "hi" } } }),
            Request("image", new { messages = new[] { new { role = "user", content = new[] { new { type = "image_url", image_url = new { url = "data:image/png;base64,AAAA" } } } } } }),
            Request("address", new { messages = new[] { new { role = "user", content = new[] { new { type = "image_url", image_url = new { url = "https://example.com/a.png" } } } } } }),
            Request("good", new { messages = new[] { new { role = "user", content = "again" } } }),
            "{\"custom_id\": \"url\", \"method\": \"POST\", \"url\": \"/v1/embeddings\", \"body\": {}}",
            "{\"custom_id\": \"nobody\", \"method\": \"POST\", \"url\": \"/v1/chat/completions\"}",
            "{\"method\": \"POST\"}",
            "not json",
        ]) + "\n");
        return path;

        static string Request(string id, object body) => Row(new { custom_id = id, method = "POST", url = "/v1/chat/completions", body });
    }

    private static string Row(object row) => JsonSerializer.Serialize(row);
}
