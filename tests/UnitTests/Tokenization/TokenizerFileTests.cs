using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Every kind of wrong <c>tokenizer.model</c> is refused in one sentence that names file and field.</summary>
public sealed class TokenizerFileTests
{
    private const int NextId = 3 + 256 + 3;

    [Fact]
    public void A_complete_model_is_read()
    {
        TextTokenizer tokenizer = TokenizerModel.Complete().Read(NextId);
        Assert.Equal((NextId, 1, 2), (tokenizer.VocabularySize, tokenizer.BosId, tokenizer.EosId));
        Assert.Equal([NextId - 1, NextId - 3, 3 + 'c'], tokenizer.Encode("abac"));
    }

    [Fact]
    public void Letters_never_merge_into_control_pieces_bytes_or_marks()
    {
        TextTokenizer tokenizer = TokenizerModel.Complete().Add("<").Add("s").Add(">").Add("<s").Add("<0").Add("<0x").Add("<0x0").Add("<0x0A").Add("[").Add("x").Add("]").Add("[x").Add("[x]", PieceKind.UserDefined).Read();
        Assert.Equal(["<s", ">"], Show(tokenizer.Encode("<s>")));
        Assert.Equal(["<0x0A", ">"], Show(tokenizer.Encode("<0x0A>")));
        Assert.Equal(["[x]"], Show(tokenizer.Encode("[x]")));
        Assert.Equal(["[x", "]"], Show(tokenizer.EncodeUserText("[x]")));

        IEnumerable<string> Show(IReadOnlyList<int> ids) => ids.Select(id => tokenizer.Decode([id]));
    }

    [Fact]
    public void Missing_file()
    {
        string folder = Directory.CreateTempSubdirectory("xc2-tokenizer-").FullName;
        try
        {
            CheckpointException error = Assert.Throws<CheckpointException>(() => TextTokenizer.Load(folder));
            Assert.Equal(Path.Combine(folder, "tokenizer.model"), error.File);
            Directory.CreateDirectory(error.File);
            Assert.Equal("file", Assert.Throws<CheckpointException>(() => TextTokenizer.Load(folder)).Field);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        byte[] file = TokenizerModel.Complete().ToArray();
        for (int length = 1; length < file.Length; length++)
        {
            using FileBytes bytes = FileBytes.FromArray(file, length, "cut.model");
            Assert.Equal("cut.model", Assert.Throws<CheckpointException>(() => TextTokenizer.Read(bytes)).File);
        }
    }

    [Fact]
    public void Pieces()
    {
        string next = $"pieces[{NextId}]";
        Refused($"{next}.piece", "'ab', as in pieces[261]", m => m.Add("ab"));
        Refused($"{next}.piece", "0", m => m.Add(""));
        Refused($"{next}.piece", "1025", m => m.Add(new string('x', 1025)));
        Refused($"{next}.piece", "other bytes", m => m.AddRaw([0xC3, 0x28]));
        Refused($"{next}.piece", "other bytes", m => m.AddRaw([0xED, 0xA0, 0x80]));
        Refused($"{next}.score", "NaN", m => m.Add("x", PieceKind.Normal, float.NaN));
        Refused($"{next}.score", "-Infinity", m => m.Add("x", PieceKind.Normal, float.NegativeInfinity));
        Refused($"{next}.type", "5", m => m.Add("x", PieceKind.Unused));
        Refused($"{next}.type", "7", m => m.AddRaw([(byte)'x'], 7));
        Refused($"{next}.type", "-1", m => m.AddRaw([(byte)'x'], -1));
        Refused($"{next}.type", "a second one", m => m.Add("x", PieceKind.Unknown));
        Refused($"{next}.piece", "'<0x0a>'", m => m.Add("<0x0a>", PieceKind.Byte));
        Refused($"{next}.piece", "'x'", m => m.Add("x", PieceKind.Byte));
        Refused("pieces", "0", new TokenizerModel().Add("<unk>", PieceKind.Unknown).Add("<s>", PieceKind.Control).Add("</s>", PieceKind.Control));
        Refused("pieces", "0", new TokenizerModel());
    }

    [Fact]
    public void Settings()
    {
        Refused("trainer_spec.model_type", "unigram (1)", m => m.Trainer[3] = 1);
        Refused("trainer_spec.model_type", "unigram (1)", m => m.Trainer.Remove(3));
        Refused("trainer_spec.model_type", "3", m => m.Trainer[3] = 3);
        Refused("trainer_spec.byte_fallback", "false", m => m.Trainer.Remove(35));
        Refused("trainer_spec.treat_whitespace_as_suffix", "true", m => m.Trainer[24] = 1);
        Refused("normalizer_spec.add_dummy_prefix", "true", m => m.Normalizer.Remove(3));
        Refused("normalizer_spec.remove_extra_whitespaces", "true", m => m.Normalizer.Remove(4));
        Refused("normalizer_spec.escape_whitespaces", "false", m => m.Normalizer[5] = 0);
        Refused("normalizer_spec.precompiled_charsmap", "9 bytes", m => m.Charsmap = new byte[9]);
        Refused("trainer_spec.bos_piece", "'<bos>'", m => m.TrainerTexts[46] = "<bos>");
        Refused("trainer_spec.eos_piece", "'ab', which is Normal", m => m.TrainerTexts[47] = "ab");
    }

    [Fact]
    public void More_pieces_than_the_embedding_has_rows()
    {
        CheckpointException error = Assert.Throws<CheckpointException>(() => TokenizerModel.Complete().Read(NextId - 1));
        Assert.Equal(("pieces", $"{NextId}"), (error.Field, error.Found));
    }

    [Fact]
    public void Large_files_and_pointers()
    {
        byte[] pointer = "version https://git-lfs.github.com/spec/v1\n"u8.ToArray();
        using FileBytes bytes = FileBytes.FromArray(pointer, pointer.Length, "tokenizer.model");
        Assert.Contains("Git LFS", Assert.Throws<CheckpointException>(() => TextTokenizer.Read(bytes)).Message, StringComparison.Ordinal);
        byte[] zeros = new byte[(64 << 20) + 1];
        using FileBytes large = FileBytes.FromArray(zeros, zeros.Length, "tokenizer.model");
        Assert.Equal("file", Assert.Throws<CheckpointException>(() => TextTokenizer.Read(large)).Field);
    }

    [Theory]
    [InlineData(new byte[] { 0x0A }, "more bytes")]
    [InlineData(new byte[] { 0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 }, "more bytes")]
    [InlineData(new byte[] { 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 }, "at most 10 bytes")]
    [InlineData(new byte[] { 0x00, 0x00 }, "a field number")]
    [InlineData(new byte[] { 0x0B }, "a wire type")]
    [InlineData(new byte[] { 0x09, 1, 2, 3 }, "8 more bytes")]
    [InlineData(new byte[] { 0x08, 0x01 }, "the wire type Bytes")]
    public void What_is_no_protobuf_message(byte[] file, string expected)
    {
        using FileBytes bytes = FileBytes.FromArray(file, file.Length, "tokenizer.model");
        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => TextTokenizer.Read(bytes)).Expected, StringComparison.Ordinal);
    }

    private static void Refused(string field, string found, Action<TokenizerModel> spoil)
    {
        TokenizerModel model = TokenizerModel.Complete();
        spoil(model);
        Refused(field, found, model);
    }

    private static void Refused(string field, string found, TokenizerModel model)
    {
        CheckpointException error = Assert.Throws<CheckpointException>(() => model.Read());
        Assert.Equal(("tokenizer.model", field), (error.File, error.Field));
        Assert.StartsWith(found, error.Found, StringComparison.Ordinal);
    }
}
