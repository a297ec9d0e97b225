using System.Buffers;
using System.Text;

namespace XComposer2.Native.Model;

/// <summary>
/// The checkpoint's SentencePiece model: ids to the letter as SentencePiece gives them. Immutable, safe to share between threads.
/// Time and memory of encoding grow with n log n of the text.
/// </summary>
public sealed class TextTokenizer
{
    /// <summary>Stands for a space in pieces.</summary>
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
        IEnumerable<(string Piece, int Id)> pieces = Enumerable.Range(0, file.Count).Where(id => file.Kind(id) == PieceKind.UserDefined).Select(id => (file.Piece(id), id));
        userDefined = new PieceIndex(pieces);
        userDefinedText = new PieceIndex(pieces.Where(piece => !IsMark(piece.Piece)));
    }

    /// <summary>Pieces, control and user-defined ones included.</summary>
    public int VocabularySize => file.Count;

    public int BosId => file.BosId;

    public int EosId => file.EosId;

    internal string Path => file.Path;

    /// <summary>Reads <c>tokenizer.model</c> of a checkpoint folder.</summary>
    /// <param name="checkpointDirectory">The folder.</param>
    /// <param name="embeddingRows">Rows of the token embedding, which every id must have one of; where unknown, all ids are taken.</param>
    /// <exception cref="CheckpointException">The file is missing, damaged, no BPE model, or has more pieces than <paramref name="embeddingRows"/>.</exception>
    public static TextTokenizer Load(string checkpointDirectory, int embeddingRows = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(checkpointDirectory);
        string path = System.IO.Path.Combine(checkpointDirectory, FileName);
        if (!System.IO.Path.Exists(path))
            throw new CheckpointException(path, "file", "the tokenizer", "no such file");
        using FileBytes bytes = FileBytes.Read(path, SentencePieceFile.MaximumFileBytes, "file");
        return Read(bytes, embeddingRows);
    }

    /// <summary>Reads the bytes of a <c>tokenizer.model</c>; they are not needed afterwards.</summary>
    /// <exception cref="CheckpointException">As for <see cref="Load"/>.</exception>
    public static TextTokenizer Read(FileBytes bytes, int embeddingRows = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        SentencePieceFile file = SentencePieceFile.Read(bytes);
        if (file.Count > embeddingRows)
            throw new CheckpointException(file.Path, "pieces", $"at most {embeddingRows}, the rows of the token embedding", $"{file.Count}");
        return new TextTokenizer(file);
    }

    /// <summary>The id of this exact piece.</summary>
    public bool TryFindPiece(string piece, out int id) => file.Ids.TryGetValue(piece, out id);

    /// <summary>
    /// Exactly what SentencePiece makes of the text: user-defined pieces are taken whole, <c>&lt;s&gt;</c> and other control pieces are
    /// ordinary text. No BOS. Half characters (lone surrogates) are U+FFFD.
    /// </summary>
    public IReadOnlyList<int> Encode(string text) => Encode(text, userDefined);

    /// <summary>
    /// As <see cref="Encode(string)"/>, but user-defined pieces in brackets (<c>[UNUSED_TOKEN_n]</c>) are ordinary text too: what a user
    /// typed never becomes a control token. Full-width letters and other user-defined text are still taken whole.
    /// </summary>
    public IReadOnlyList<int> EncodeUserText(string text) => Encode(text, userDefinedText);

    /// <summary>
    /// The text of these ids, as SentencePiece gives it: a leading space stays, and no space is taken away before punctuation. Control
    /// pieces give nothing, marks of turns their own name, the unknown piece and ids beyond the vocabulary <c>" ⁇ "</c>, and each byte
    /// that belongs to no character U+FFFD.
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

    /// <summary>The id of a piece that no user's text can become.</summary>
    /// <exception cref="CheckpointException">There is no such piece, or it is an ordinary one.</exception>
    internal int FindMark(string piece)
    {
        if (!TryFindPiece(piece, out int id))
            throw new CheckpointException(file.Path, "pieces", $"{piece}, which marks turns", "no such piece");
        if (file.Kind(id) is not (PieceKind.UserDefined or PieceKind.Control))
            throw new CheckpointException(file.Path, $"pieces[{id}].type", $"{PieceKind.UserDefined} for {piece}, which marks turns", $"{file.Kind(id)}");
        return id;
    }

    /// <summary>True for a byte piece.</summary>
    internal bool IsByte(int id, out byte value)
    {
        bool isByte = (uint)id < (uint)file.Count && file.Kind(id) == PieceKind.Byte;
        value = isByte ? file.ByteValue(id) : (byte)0;
        return isByte;
    }

    /// <summary>What a piece that is no byte stands for.</summary>
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
