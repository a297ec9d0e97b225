using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Files that were made to cost much: what they cost follows their size. Limits are many times what is measured, and a small part of what it was before.</summary>
public sealed class HostileCheckpointTests
{
    /// <summary>A multiple of this makes keys that collide in a hash table of integers.</summary>
    private const int Prime = 75431;

    [Fact]
    public void Memo_indices_that_would_collide_are_refused()
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
    public void Layer_numbers_of_the_files_choice_are_refused()
    {
        CheckpointTensor[] tensors = [.. Enumerable.Range(1, 30_000).Select(i => new CheckpointTensor($"model.layers.{(long)i * Prime % int.MaxValue}.x", "U8", DType.U8, new Shape(0), 0, "f"))];
        long start = Stopwatch.GetTimestamp();
        TinyCheckpoint.Refused(() => ModelConfigReader.Resolve("config.json", "{}"u8, tensors), "layers 0 to 1023", $"layer {Prime}");
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 2);
    }

    [Theory]
    [InlineData("[2147483647,2147483647,2147483647,0]")]
    [InlineData("[0,2147483647,2147483647,2147483647]")]
    public void Sizes_whose_product_overflows_are_refused_though_one_of_them_is_0(string shape)
    {
        byte[] file = TinyCheckpoint.SafetensorsFrom($$$"""{"x_layer_norm":{"dtype":"F32","shape":{{{shape}}},"data_offsets":[0,0]}}""", []);
        TinyCheckpoint.Refused(() => TensorFile.ReadSafetensors(FileBytes.FromArray(file, file.Length, "hostile")).Dispose(), "x_layer_norm", "shape");
    }

    [Fact]
    public void Long_user_defined_pieces_cost_memory_as_their_file_does()
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

        // It was 130 bytes for each byte of the file: a dictionary entry for each character.
        Assert.InRange(allocated, 0, 16L * file.Length);
        string last = Encoding.ASCII.GetString(piece);
        Assert.Equal(tokenizer.VocabularySize - 1, Assert.Single(tokenizer.Encode(last)));
    }

    [Fact]
    public void The_longest_piece_is_found_among_many_with_the_same_beginning()
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
    public void Texts_that_are_written_again_and_again_are_short(int field, string name)
    {
        TokenizerModel model = TokenizerModel.Complete();
        model.TrainerTexts[field] = new string('U', 1 << 20);
        TinyCheckpoint.Refused(() => model.Read(), $"trainer_spec.{name}", "at most 1024 bytes", "1048576");
    }

    /// <summary>What inspect calls usable, chat can run.</summary>
    [Fact]
    public void Sizes_that_no_kernel_serves_are_refused_by_the_field()
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
