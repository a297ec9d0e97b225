using Google.Protobuf;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

/// <summary>Writes small <c>tokenizer.model</c> files, right ones and wrong ones.</summary>
internal sealed class TokenizerModel
{
    private readonly List<byte[]> pieces = [];

    public Dictionary<int, long> Trainer { get; } = new() { [3] = 2, [35] = 1 };

    public Dictionary<int, string> TrainerTexts { get; } = [];

    public Dictionary<int, long> Normalizer { get; } = new() { [3] = 0, [4] = 0 };

    public byte[] Charsmap { get; set; } = [];

    /// <summary>A complete model: unknown, BOS, EOS, all bytes, "a", "b", "ab".</summary>
    public static TokenizerModel Complete()
    {
        TokenizerModel model = new TokenizerModel().Add("<unk>", PieceKind.Unknown).Add("<s>", PieceKind.Control).Add("</s>", PieceKind.Control);
        for (int value = 0; value < 256; value++)
            model.Add($"<0x{value:X2}>", PieceKind.Byte);
        return model.Add("a").Add("b").Add("ab");
    }

    public TokenizerModel Add(string piece, PieceKind kind = PieceKind.Normal, float score = 0) => AddRaw(System.Text.Encoding.UTF8.GetBytes(piece), (int)kind, score);

    public TokenizerModel AddRaw(byte[] piece, int kind = 1, float score = 0)
    {
        pieces.Add(Message(output =>
        {
            output.WriteTag(1, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(piece));
            output.WriteTag(2, WireFormat.WireType.Fixed32);
            output.WriteFloat(score);
            output.WriteTag(3, WireFormat.WireType.Varint);
            output.WriteInt32(kind);
        }));
        return this;
    }

    public byte[] ToArray() => Message(output =>
    {
        foreach (byte[] piece in pieces)
            Write(output, 1, piece);
        Write(output, 2, Message(trainer =>
        {
            Numbers(trainer, Trainer);
            foreach ((int field, string text) in TrainerTexts)
                Write(trainer, field, System.Text.Encoding.UTF8.GetBytes(text));
        }));
        Write(output, 3, Message(normalizer =>
        {
            Write(normalizer, 2, Charsmap);
            Numbers(normalizer, Normalizer);
        }));
    });

    public TextTokenizer Read(int embeddingRows = int.MaxValue)
    {
        byte[] file = ToArray();
        using FileBytes bytes = FileBytes.FromArray(file, file.Length, "tokenizer.model");
        return TextTokenizer.Read(bytes, embeddingRows);
    }

    private static void Numbers(CodedOutputStream output, Dictionary<int, long> fields)
    {
        foreach ((int field, long value) in fields)
        {
            output.WriteTag(field, WireFormat.WireType.Varint);
            output.WriteInt64(value);
        }
    }

    private static void Write(CodedOutputStream output, int field, byte[] content)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(content));
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using MemoryStream stream = new();
        CodedOutputStream output = new(stream, leaveOpen: true);
        write(output);
        output.Flush();
        return stream.ToArray();
    }
}
