using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;
using System.Text;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Files designed to be expensive: their cost is proportional to their size.</summary>
public sealed class HostileCheckpointTests
{
    /// <summary>Multiples of it collide in a hash table of integers.</summary>
    private const int Prime = 75431;

    [Fact]
    public void Colliding_memo_indices_are_rejected()
    {
        List<byte> pickle = [0x80, 2, (byte)'}'];
        Span<byte> index = stackalloc byte[4];
        for (int i = 1; i <= 56_000; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(index, unchecked((uint)(i * Prime)));
            pickle.Add((byte)'r');
            pickle.AddRange(index);
        }
        byte[] file = TorchFixture.Archive([.. pickle, (byte)'.']);
        long start = Stopwatch.GetTimestamp();
        TinyCheckpoint.Refused(() => TensorFile.ReadTorch(FileBytes.FromArray(file, file.Length, "hostile")).Dispose(), "a memo index below", "the length of the pickle");
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 2);
    }

    /// <summary>Names with one hash in the function that hash tables of strings begin with; they change to a keyed one.</summary>
    [Theory]
    [InlineData("safetensors")]
    [InlineData("index")]
    [InlineData("torch")]
    public void Colliding_names_cost_no_more_than_others(string kind)
    {
        string[] names = [.. CollidingNames(20_000)];
        Assert.Equal(names.Length, names.Distinct().Count());
        long start = Stopwatch.GetTimestamp();
        switch (kind)
        {
            case "safetensors":
                byte[] file = TinyCheckpoint.SafetensorsFrom($"{{{string.Join(',', names.Select(name => $"\"{name}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"))}}}", []);
                using (TensorFile tensors = TensorFile.ReadSafetensors(FileBytes.FromArray(file, file.Length, "hostile")))
                    Assert.Equal(names.Length, tensors.Tensors.Count);
                break;
            case "index":
                string map = string.Join(',', names.Select(name => $"\"{name}\":\"model-00001-of-00001.safetensors\""));
                Assert.Equal(names.Length, ShardIndex.Parse(Encoding.UTF8.GetBytes($"{{\"weight_map\":{{{map}}}}}"), "index", ".safetensors").ShardOfTensor.Count);
                break;
            default:
                PickleWriter pickle = new PickleWriter().Start();
                foreach (string name in names)
                    pickle.Tensor(name, "FloatStorage", "0", 12, 0, [3, 4], [4, 1]);
                byte[] archive = TorchFixture.Zip([("a/data.pkl", pickle.End().ToArray()), ("a/data/0", new byte[48])]);
                using (TensorFile tensors = TensorFile.ReadTorch(FileBytes.FromArray(archive, archive.Length, "hostile")))
                    Assert.Equal(names.Length, tensors.Tensors.Count);
                break;
        }
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 4);
    }

    [Fact]
    public void Near_misses_of_long_pieces_cost_no_step_for_each_character()
    {
        TokenizerModel model = TokenizerModel.Complete();
        for (int length = 1; length <= 1000; length++)
            model.Add(new string('a', length) + "!", PieceKind.UserDefined);
        TextTokenizer tokenizer = model.Read();
        string text = new('a', 400_000);
        long start = Stopwatch.GetTimestamp();

        // A step for each of the 1000 characters of each position takes half a minute.
        Assert.Equal(text, tokenizer.Decode([.. tokenizer.Encode(text)]));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 10);
        Assert.Equal([new string('a', 1000) + "!", "a!"], tokenizer.Encode(new string('a', 1000) + "!a!").Select(id => tokenizer.Decode([id])));
    }

    [Fact]
    public void Longest_piece_equals_that_of_a_linear_search()
    {
        Random random = new(3);
        for (int round = 0; round < 200; round++)
        {
            string[] pieces = [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => Word(random, 9)).Distinct()];
            PieceIndex index = new(pieces.Select((piece, id) => new IndexedPiece(piece, id)));
            string text = Word(random, 60);
            for (int from = 0; from < text.Length; from++)
            {
                int at = Enumerable.Range(from, text.Length - from).FirstOrDefault(place => pieces.Any(piece => text.AsSpan(place).StartsWith(piece)), text.Length);
                string expected = pieces.Where(piece => text.AsSpan(at).StartsWith(piece)).MaxBy(piece => piece.Length) ?? "";
                Assert.Equal((at, expected.Length), (index.FindNext(text, from, out int length, out int id), length));
                Assert.Equal(expected.Length == 0 ? -1 : Array.IndexOf(pieces, expected), id);
            }
        }

        static string Word(Random random, int longest) => string.Concat(Enumerable.Range(0, random.Next(1, longest + 1)).Select(_ => "ab\uFFFF"[random.Next(3)]));
    }

    [Fact]
    public void Arbitrary_layer_numbers_are_rejected()
    {
        CheckpointTensor[] tensors = [.. Enumerable.Range(1, 30_000).Select(i => new CheckpointTensor($"model.layers.{(long)i * Prime % int.MaxValue}.x", "U8", DType.U8, new Shape(0), 0, "f"))];
        long start = Stopwatch.GetTimestamp();
        TinyCheckpoint.Refused(() => ModelConfigReader.Resolve("config.json", "{}"u8, tensors), "layers 0 to 1023", $"layer {Prime}");
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 2);
    }

    [Theory]
    [InlineData("[2147483647,2147483647,2147483647,0]")]
    [InlineData("[0,2147483647,2147483647,2147483647]")]
    public void Overflowing_shape_with_a_size_of_0_is_rejected(string shape)
    {
        byte[] file = TinyCheckpoint.SafetensorsFrom($$$"""{"x_layer_norm":{"dtype":"F32","shape":{{{shape}}},"data_offsets":[0,0]}}""", []);
        TinyCheckpoint.Refused(() => TensorFile.ReadSafetensors(FileBytes.FromArray(file, file.Length, "hostile")).Dispose(), "x_layer_norm", "shape");
    }

    [Fact]
    public void Memory_for_long_user_defined_pieces_is_proportional_to_the_file()
    {
        TokenizerModel model = TokenizerModel.Complete();
        Random random = new(1);
        byte[] piece = new byte[1020];
        for (int i = 0; i < 4000; i++)
        {
            for (int letter = 0; letter < piece.Length; letter++)
                piece[letter] = (byte)random.Next(0x21, 0x7F);
            model.AddRaw(piece, (int)PieceKind.UserDefined);
        }
        byte[] file = model.ToArray();
        long before = GC.GetAllocatedBytesForCurrentThread();
        using FileBytes bytes = FileBytes.FromArray(file, file.Length, "tokenizer.model");
        TextTokenizer tokenizer = TextTokenizer.Read(bytes);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        // A trie took 130 bytes for each byte of the file.
        Assert.InRange(allocated, 0, 16L * file.Length);
        string last = Encoding.ASCII.GetString(piece);
        Assert.Equal(tokenizer.VocabularySize - 1, Assert.Single(tokenizer.Encode(last)));
    }

    [Fact]
    public void Longest_of_several_pieces_with_a_common_prefix_is_found()
    {
        TokenizerModel model = TokenizerModel.Complete();
        for (int length = 2; length <= 40; length += 2)
            model.Add(new string('#', length), PieceKind.UserDefined);
        model.Add("#x", PieceKind.UserDefined).Add("##y", PieceKind.UserDefined);
        TextTokenizer tokenizer = model.Read();

        Assert.Equal(["##y", "#x", "####"], tokenizer.Encode("##y#x####").Select(id => tokenizer.Decode([id])));
        Assert.Equal([new string('#', 40), "####"], tokenizer.Encode(new string('#', 44)).Select(id => tokenizer.Decode([id])));
    }

    [Theory]
    [InlineData(44, "unk_surface")]
    [InlineData(46, "bos_piece")]
    [InlineData(47, "eos_piece")]
    public void Long_tokenizer_texts_are_rejected(int field, string name)
    {
        TokenizerModel model = TokenizerModel.Complete();
        model.TrainerTexts[field] = new string('U', 1 << 20);
        TinyCheckpoint.Refused(() => model.Read(), $"trainer_spec.{name}", "at most 1024 bytes", "1048576");
    }

    /// <summary>Checkpoints that are usable according to inspect can be run by chat.</summary>
    [Fact]
    public void Unsupported_sizes_are_rejected_by_field()
    {
        ModelConfig config = ModelPresets.Find(ModelPresets.VisionLanguage1B8);
        config.RequireSupportedSizes("config.json");
        Refused(config with { Decoder = config.Decoder with { Attention = new AttentionGeometry(512, 256, 4) } }, "num_attention_heads", "multiple of 8", "found 4");
        Refused(config with { Decoder = config.Decoder with { Attention = new AttentionGeometry(1, 1, 2048) } }, "num_attention_heads", "8 to 1024", "found 2048");
        Refused(config with { Vision = config.Vision with { Width = 6, HeadCount = 3 } }, "vision_config.num_attention_heads", "multiple of 8", "found 2");
        Refused(config with { Vision = config.Vision with { PatchSize = 2048 } }, "vision_config.patch_size", "1 to 256", "found 2048");

        static void Refused(ModelConfig changed, params string[] words) => TinyCheckpoint.Refused(() => changed.RequireSupportedSizes("config.json"), ["config.json", .. words]);
    }

    /// <summary>Eight characters whose first and third pairs lead the function to one state; the others are alike.</summary>
    private static IEnumerable<string> CollidingNames(int count)
    {
        const uint Start = (5381 << 16) + 5381, Target = 0x6B2C_5A17;
        for (int found = 0, first = 0; found < count; first++)
        {
            uint left = (uint)(0x4E00 + (first % 0x5000)) | ((uint)(0x4E00 + (first / 0x5000)) << 16);
            uint right = Target ^ Step(Step(Start) ^ left);
            if ((ushort)right is < 0x4E00 or > 0x9FFF || right >> 16 is < 0x4E00 or > 0x9FFF)
                continue;
            found++;
            yield return new string([(char)left, (char)(left >> 16), 'x', 'x', (char)right, (char)(right >> 16), 'x', 'x']);
        }

        static uint Step(uint hash) => unchecked(BitOperations.RotateLeft(hash, 5) + hash);
    }
}
