using System.Buffers;
using System.Text;

namespace XComposer2.Native.Model;

/// <summary>
/// The SentencePiece model of a checkpoint; its ids equal those of SentencePiece. Immutable and thread-safe.
/// Time and memory of encoding are O(n log n) in the length of the text.
/// </summary>
public sealed class TextTokenizer
{
    /// <summary>Represents a space in pieces.</summary>
    internal const char SpaceMark = '\u2581';

    private const string FileName = "tokenizer.model";

    private readonly SentencePieceFile file;
    private readonly PieceMerger merger;
    private readonly PieceIndex userDefined;
    private readonly PieceIndex userDefinedText;

    private TextTokenizer(SentencePieceFile file)
    {
        this.file = file;
        merger = new PieceMerger(file);
        List<IndexedPiece> pieces = [];
        for (int id = 0; id < file.Count; id++)
            if (file.Kind(id) == PieceKind.UserDefined)
                pieces.Add(new IndexedPiece(file.Piece(id), id));
        userDefined = new PieceIndex(pieces);
        userDefinedText = new PieceIndex(pieces.Where(piece => !IsMark(piece.Text)));
    }

    /// <summary>Number of pieces, including control and user-defined pieces.</summary>
    public int VocabularySize => file.Count;

    public int BosId => file.BosId;

    public int EosId => file.EosId;

    internal string Path => file.Path;

    /// <summary>Reads <c>tokenizer.model</c> of a checkpoint folder.</summary>
    /// <param name="checkpointDirectory">The folder.</param>
    /// <param name="embeddingRows">Number of rows of the token embedding: the limit for ids. Unlimited if unknown.</param>
    /// <exception cref="CheckpointException">The file is missing, damaged, not a BPE model, or has more pieces than <paramref name="embeddingRows"/>.</exception>
    public static TextTokenizer Load(string checkpointDirectory, int embeddingRows = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(checkpointDirectory);
        string path = System.IO.Path.Combine(checkpointDirectory, FileName);
        if (!System.IO.Path.Exists(path))
            throw new CheckpointException(path, "file", "the tokenizer", "no such file");
        using FileBytes bytes = FileBytes.Read(path, SentencePieceFile.MaximumFileBytes, "file");
        return Read(bytes, embeddingRows);
    }

    /// <summary>Parses the bytes of a <c>tokenizer.model</c>, which are copied.</summary>
    /// <exception cref="CheckpointException">As for <see cref="Load"/>.</exception>
    public static TextTokenizer Read(FileBytes bytes, int embeddingRows = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        SentencePieceFile file = SentencePieceFile.Read(bytes);
        if (file.Count > embeddingRows)
            throw new CheckpointException(file.Path, "pieces", $"at most {embeddingRows}, the rows of the token embedding", $"{file.Count}");
        return new TextTokenizer(file);
    }

    /// <summary>The id of a piece.</summary>
    public bool TryFindPiece(string piece, out int id) => file.Ids.TryGetValue(piece, out id);

    /// <summary>
    /// Encodes a text as SentencePiece does: user-defined pieces are kept whole, <c>&lt;s&gt;</c> and other control pieces are
    /// ordinary text. No BOS is added. Lone surrogates become U+FFFD.
    /// </summary>
    public IReadOnlyList<int> Encode(string text) => Encode(text, userDefined);

    /// <summary>
    /// Like <see cref="Encode(string)"/>, but user-defined pieces in brackets (<c>[UNUSED_TOKEN_n]</c>) are ordinary text as well, so that
    /// typed text never becomes a control token. Full-width letters and other user-defined texts are kept whole.
    /// </summary>
    public IReadOnlyList<int> EncodeUserText(string text) => Encode(text, userDefinedText);

    /// <summary>
    /// Decodes ids as SentencePiece does: a leading space and spaces before punctuation are kept. Control pieces become empty, marks of turns
    /// their names, the unknown piece and ids beyond the vocabulary <c>" ⁇ "</c>, and each byte outside of a valid character U+FFFD.
    /// </summary>
    public string Decode(ReadOnlySpan<int> ids)
    {
        StreamingDecoder decoder = new(this);
        StringBuilder text = new();
        foreach (int id in ids)
            decoder.Append(id, text);
        decoder.AppendRest(text);
        return text.ToString();
    }

    /// <summary>The id of a control piece, which user text never encodes to.</summary>
    /// <exception cref="CheckpointException">The piece does not exist, or it is an ordinary piece.</exception>
    internal int FindMark(string piece)
    {
        if (!TryFindPiece(piece, out int id))
            throw new CheckpointException(file.Path, "pieces", $"{piece}, which marks turns", "no such piece");
        if (file.Kind(id) is not (PieceKind.UserDefined or PieceKind.Control))
            throw new CheckpointException(file.Path, $"pieces[{id}].type", $"{PieceKind.UserDefined} for {piece}, which marks turns", $"{file.Kind(id)}");
        return id;
    }

    /// <summary>Whether the piece is a byte piece.</summary>
    internal bool IsByte(int id, out byte value)
    {
        bool isByte = (uint)id < (uint)file.Count && file.Kind(id) == PieceKind.Byte;
        value = isByte ? file.ByteValue(id) : (byte)0;
        return isByte;
    }

    /// <summary>Text of a piece that is not a byte piece.</summary>
    internal void AppendText(int id, StringBuilder text)
    {
        if ((uint)id >= (uint)file.Count || id == file.UnknownId)
        {
            text.Append(file.UnknownText);
            return;
        }
        if (file.Kind(id) == PieceKind.Control)
            return;
        int start = text.Length;
        string piece = file.Piece(id);
        text.Append(piece).Replace(SpaceMark, ' ', start, piece.Length);
    }

    private static bool IsMark(string piece) => piece.Length > 2 && (piece[0], piece[^1]) is ('[', ']') or ('<', '>');

    private List<int> Encode(string text, PieceIndex whole)
    {
        ArgumentNullException.ThrowIfNull(text);
        char[] rented = ArrayPool<char>.Shared.Rent(text.Length);
        Span<char> escaped = rented.AsSpan(0, text.Length);
        Escape(text, escaped);
        List<int> ids = [];
        for (int at = 0; at < escaped.Length;)
        {
            int next = whole.FindNext(escaped, at, out int length, out int id);
            merger.Append(escaped[at..next], ids);
            if (length > 0)
                ids.Add(id);
            at = next + length;
        }
        ArrayPool<char>.Shared.Return(rented);
        return ids;
    }

    private static void Escape(ReadOnlySpan<char> text, Span<char> escaped)
    {
        for (int i = 0; i < text.Length; i++)
        {
            char letter = text[i];
            if (char.IsHighSurrogate(letter) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                escaped[i] = letter;
                escaped[i + 1] = text[++i];
            }
            else
            {
                escaped[i] = letter == ' ' ? SpaceMark : char.IsSurrogate(letter) ? '\uFFFD' : letter;
            }
        }
    }
}
