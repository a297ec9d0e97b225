using System.Text;
using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

/// <summary>A reader of bytes from strangers, and sound bytes to mutate.</summary>
/// <param name="Name">Of the kind of file.</param>
/// <param name="Samples">Sound files.</param>
/// <param name="Tokens">Pieces that the mutator puts in.</param>
/// <param name="Read">Reads a file. Every exception but those of <paramref name="IsRefusal"/> is a fault.</param>
/// <param name="IsRefusal">How the reader refuses a file.</param>
internal sealed record FuzzTarget(string Name, IReadOnlyList<byte[]> Samples, IReadOnlyList<byte[]> Tokens, Action<byte[]> Read, Func<Exception, bool> IsRefusal)
{
    private static readonly string[] json = ["{", "}", "[", "]", ",", ":", "\"", "\\ud800", "null", "true", "-1", "1e999", "99999999999999999999", "[[[[[[[[[[[[[[[["];

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("safetensors", [TinyCheckpoint.Safetensors(Tensors())], Bytes([.. json, "\"dtype\":\"BF16\"", "\"shape\":[", "\"data_offsets\":[0,", "2147483647"]), bytes => ReadTensors(bytes, TensorFile.ReadSafetensors), IsCheckpoint),
        new("torch archive", [TorchFixture.Archive(Tensors()), TorchFixture.Zip([("a/data.pkl", Pickle()), ("a/data/0", new byte[48])], zip64: true)],
            [.. Bytes("ctorch\nHalfStorage\n", "ctorch._utils\n_rebuild_tensor_v2\n", "(", "t", "Q", "R", "u", "b", ".", "PK\u0001\u0002", "PK\u0006\u0006", "data.pkl"), [0x85], [0x86], [0x87], [(byte)'r', 255, 255, 255, 255], new byte[8]],
            bytes => ReadTensors(bytes, TensorFile.ReadTorch), IsCheckpoint),
        new("index", [Encoding.UTF8.GetBytes("""{"metadata":{"total_size":17},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}""")],
            Bytes([.. json, "../", "/", "\"weight_map\":{"]), bytes => ShardIndex.Parse(bytes, "index", ".safetensors"), IsCheckpoint),
        new("configuration", [Encoding.UTF8.GetBytes(TinyCheckpoint.ConfigJson)], Bytes([.. json, "\"rope_scaling\":{\"rope_type\":\"yarn\"}", "\"eos_token_id\":[1,2]", "\"quantization_config\":{"]),
            bytes => ModelConfigReader.Resolve("config.json", bytes, []), IsCheckpoint),
        new("tokenizer", [TokenizerModel.Complete().Add("[x]", PieceKind.UserDefined).ToArray()], [.. Bytes("\n", "<0x00>", "▁", "\u0001"), [0x0A, 0x7F], [255, 255, 255, 255, 15], [0x18, 4]], ReadTokenizer, IsCheckpoint),
        new("article", [Article()], Bytes([.. json, "\"states\":[", "\"figure\":{", "../", "\\u202e"]), bytes => new StoredArticleReader("article.json", _ => throw new ArticleFileException("no picture")).Read(bytes), error => error is ArticleFileException),
        new("picture", [.. Pictures()], [.. Bytes("IHDR", "IDAT", "IEND", "GIF89a", "BM"), [0xFF, 0xC2], [0xFF, 0xDA], [0xFF, 0xC4], [255, 255, 255, 255], [0x7F, 0xFF]], bytes => ImageDecoder.Decode(bytes, "fuzz", ImageLimits.Default), error => error is ImageException),
        new("gallery index", [IndexFormat.Write("fingerprint", [])], [.. Bytes("fingerprint"), [255, 255, 255, 255], [255, 255, 255, 127], new byte[8]], bytes => IndexFormat.Read(bytes, "fingerprint"), error => error is InvalidDataException),
        new("answer of a picture service", [Encoding.UTF8.GetBytes("""{"data":{"image_urls":["https://images.example.org/1.png","https://images.example.org/2.png"],"indices":[1,2]}}""")], Bytes(json),
            bytes => SimilarImagesReply.Read(bytes, new HashSet<string>()), error => error is InvalidDataException or System.Text.Json.JsonException),
    ];

    public override string ToString() => Name;

    private static bool IsCheckpoint(Exception error) => error is CheckpointException;

    private static byte[][] Bytes(params string[] tokens) => [.. tokens.Select(Encoding.UTF8.GetBytes)];

    private static Dictionary<string, TinyTensor> Tensors() => new()
    {
        ["a"] = TinyTensor.F32(new Shape(3, 4), i => i),
        ["model.layers.0.attention.wo.weight"] = TinyTensor.F16(new Shape(6), i => i),
        ["b"] = TinyTensor.I32(new Shape(2, 1, 3), i => i),
    };

    private static byte[] Pickle() => new PickleWriter().Start()
        .Tensor("whole", "FloatStorage", "0", 12, 0, [3, 4], [4, 1]).Raw((byte)'q', 1)
        .Tensor("transposed", "FloatStorage", "0", 12, 0, [4, 3], [1, 4]).End().ToArray();

    private static byte[] Article()
    {
        Article article = new() { Instruction = "write", Title = "title", Sections = [new ArticleSection("one"), new ArticleSection("two", new ArticleFigure { Caption = "c" })] };
        return new StoredArticleWriter().Write(ArticleHistory.Begin(article).Apply("x", article.WithText(0, "1")));
    }

    private static IEnumerable<byte[]> Pictures() =>
        Directory.EnumerateFiles(TestPaths.Golden("images")).Concat([TestPaths.Repository("tools/demo/pictures/shapes-1.png")])
            .Where(file => Path.GetExtension(file) is ".png" or ".jpg" or ".gif" or ".bmp" && new FileInfo(file).Length < 20_000).Order(StringComparer.Ordinal).Take(24).Select(File.ReadAllBytes);

    private static unsafe void ReadTensors(byte[] bytes, Func<FileBytes, TensorFile> read)
    {
        using TensorFile file = read(FileBytes.FromArray(bytes, bytes.Length, "fuzz"));
        byte sum = 0;
        foreach (CheckpointTensor facts in file.Tensors)
        {
            if (facts.Type is null || !file.TryGet(facts.Name, out HostTensor tensor))
                continue;
            for (long i = 0; i < tensor.Bytes; i++)
                sum ^= ((byte*)tensor.Data)[i];
        }
        GC.KeepAlive(sum);
    }

    private static void ReadTokenizer(byte[] bytes)
    {
        using FileBytes file = FileBytes.FromArray(bytes, bytes.Length, "tokenizer.model");
        TextTokenizer tokenizer = TextTokenizer.Read(file);
        _ = tokenizer.Decode([.. tokenizer.Encode("ab a [x] <s> 図")]);
    }
}
