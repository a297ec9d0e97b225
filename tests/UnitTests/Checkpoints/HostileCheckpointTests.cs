using System.Buffers.Binary;
using System.Diagnostics;
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
}
