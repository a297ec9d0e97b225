using System.Buffers;
using System.Text;
using Google.Protobuf;
using Microsoft.ML.Tokenizers;

namespace XComposer2.Native.Model;

/// <summary>
/// BPE merges of ordinary text with <see cref="SentencePieceTokenizer"/>. It differs from SentencePiece in three ways, which a modified model
/// and modified text compensate:
/// <list type="bullet">
/// <item>Among equal scores it merges the rightmost pair first, SentencePiece the leftmost ("aaaaa"). Pieces and text are reversed.</item>
/// <item>It merges into control, unknown, byte and user-defined pieces as well ("&lt;s&gt;"). They get names with a space, which the text never contains.</item>
/// <item>Its byte fallback requires consecutive ids. It is disabled; unknown characters are converted to bytes here.</item>
/// </list>
/// </summary>
internal sealed class PieceMerger
{
    private const uint StringField1 = 10, MessageField1 = 10, FloatField2 = 21, MessageField2 = 18, MessageField3 = 26;

    private readonly SentencePieceFile file;
    private readonly SentencePieceTokenizer tokenizer;

    public PieceMerger(SentencePieceFile file)
    {
        this.file = file;
        using MemoryStream model = new(file.LengthBytes);
        WriteMirrored(file, model);
        model.Position = 0;
        tokenizer = SentencePieceTokenizer.Create(model, addBeginningOfSentence: false, addEndOfSentence: false);
    }

    /// <summary>Appends the ids of a text without user-defined pieces.</summary>
    /// <param name="text">Well-formed UTF-16, with U+2581 for spaces.</param>
    /// <param name="ids">Receives the ids; at least one for a non-empty text.</param>
    public void Append(ReadOnlySpan<char> text, List<int> ids)
    {
        if (text.IsEmpty)
            return;
        char[] rented = ArrayPool<char>.Shared.Rent(text.Length);
        Span<char> mirrored = rented.AsSpan(0, text.Length);
        Mirror(text, mirrored);
        IReadOnlyList<EncodedToken> tokens = tokenizer.EncodeToTokens(mirrored, out _, considerPreTokenization: false, considerNormalization: false);
        for (int i = tokens.Count - 1; i >= 0; i--)
        {
            if (tokens[i].Id != file.UnknownId)
                ids.Add(tokens[i].Id);
            else
                AppendBytes(mirrored[tokens[i].Offset], ids);
        }
        ArrayPool<char>.Shared.Return(rented);
    }

    /// <summary>Reverses the order of characters; surrogate pairs keep their order.</summary>
    private static void Mirror(ReadOnlySpan<char> text, Span<char> mirrored)
    {
        for (int from = 0, to = text.Length - 1; from < text.Length; from++, to--)
        {
            if (char.IsHighSurrogate(text[from]))
            {
                mirrored[to--] = text[from + 1];
                mirrored[to] = text[from++];
            }
            else
            {
                mirrored[to] = text[from];
            }
        }
    }

    private static string Mirror(string piece) => string.Create(piece.Length, piece, static (mirrored, piece) => Mirror(piece, mirrored));

    /// <param name="character">A single character: unknown characters are never merged.</param>
    /// <param name="ids">Receives the ids of its bytes.</param>
    private void AppendBytes(ReadOnlySpan<char> character, List<int> ids)
    {
        Span<byte> bytes = stackalloc byte[4];
        int count = Encoding.UTF8.GetBytes(character, bytes);
        foreach (byte value in bytes[..count])
            ids.Add(file.ByteId(value));
    }

    private static void WriteMirrored(SentencePieceFile file, Stream stream)
    {
        CodedOutputStream output = new(stream, leaveOpen: true);
        for (int id = 0; id < file.Count; id++)
        {
            string piece = file.Piece(id);
            bool mergeable = file.Kind(id) == PieceKind.Normal && !piece.Contains(' ', StringComparison.Ordinal);
            string name = mergeable ? Mirror(piece) : $" {id}";
            output.WriteTag(MessageField1);
            output.WriteLength(1 + CodedOutputStream.ComputeStringSize(name) + 1 + sizeof(float));
            output.WriteTag(StringField1);
            output.WriteString(name);
            output.WriteTag(FloatField2);
            output.WriteFloat(file.Score(id));
        }
        // trainer_spec: model_type (3) = BPE, unk_id (40); normalizer_spec: no dummy prefix (3), extra spaces kept (4).
        WriteNumbers(output, MessageField2, (3, 2), (40, file.UnknownId));
        WriteNumbers(output, MessageField3, (3, 0), (4, 0));
        output.Flush();
    }

    private static void WriteNumbers(CodedOutputStream output, uint messageTag, params ReadOnlySpan<(int Field, int Value)> fields)
    {
        int lengthBytes = 0;
        foreach ((int field, int value) in fields)
            lengthBytes += CodedOutputStream.ComputeTagSize(field) + CodedOutputStream.ComputeInt32Size(value);
        output.WriteTag(messageTag);
        output.WriteLength(lengthBytes);
        foreach ((int field, int value) in fields)
        {
            output.WriteTag(field, WireFormat.WireType.Varint);
            output.WriteInt32(value);
        }
    }
}
