using System.Globalization;

namespace XComposer2.Native.Model;

/// <summary>
/// A validated <c>tokenizer.model</c>: a BPE model with byte fallback that changes only spaces. No XComposer2 checkpoint uses the other
/// features of SentencePiece (unigram, normalisation, dummy prefix, unused pieces); they are rejected by name.
/// </summary>
internal sealed class SentencePieceFile
{
    public const int MaximumFileBytes = 64 << 20;

    /// <summary>Limit for a piece, because matching takes one step per character. The longest published piece has 384 bytes.</summary>
    private const int MaximumPieceBytes = 1024;

    /// <summary>Approximate size of a piece in published files, for the initial capacity.</summary>
    private const int PieceBytes = 16;

    private readonly List<string> pieces;
    private readonly List<float> scores;
    private readonly List<PieceKind> kinds;
    private readonly Dictionary<string, int> ids;
    private readonly byte[] byteValues;
    private readonly int[] byteIds = new int[256];

    private SentencePieceFile(string path, ReadOnlySpan<byte> bytes)
    {
        Path = path;
        LengthBytes = bytes.Length;
        int room = bytes.Length / PieceBytes;
        (pieces, scores, kinds, ids) = (new(room), new(room), new(room), new(room, StringComparer.Ordinal));
        SentencePieceSettings settings = new();
        ProtoReader model = new(path, "", -1, bytes, 0);
        while (model.Next())
        {
            switch (model.Field)
            {
                case 1:
                    AddPiece(model.Message("pieces", pieces.Count));
                    break;
                case 2:
                    settings.ReadTrainer(model.Message("trainer_spec"));
                    break;
                case 3:
                    settings.ReadNormalizer(model.Message("normalizer_spec"));
                    break;
                case 5:
                    settings.ReadDenormalizer(model.Message("denormalizer_spec"));
                    break;
            }
        }
        settings.Check(path);
        UnknownText = settings.UnknownText;
        byteValues = new byte[pieces.Count];
        UnknownId = IndexBytesAndUnknown();
        BosId = FindControl(settings.BosPiece, "trainer_spec.bos_piece");
        EosId = FindControl(settings.EosPiece, "trainer_spec.eos_piece");
    }

    public string Path { get; }

    public int LengthBytes { get; }

    public int Count => pieces.Count;

    public int BosId { get; }

    public int EosId { get; }

    public int UnknownId { get; }

    /// <summary>Text of the unknown piece.</summary>
    public string UnknownText { get; }

    public IReadOnlyDictionary<string, int> Ids => ids;

    /// <exception cref="CheckpointException">The file is damaged, inconsistent or of an unsupported kind.</exception>
    public static SentencePieceFile Read(FileBytes bytes)
    {
        bytes.RefuseStandIn("the tokenizer");
        return new SentencePieceFile(bytes.Path, bytes.Whole(MaximumFileBytes, "file"));
    }

    public string Piece(int id) => pieces[id];

    public float Score(int id) => scores[id];

    public PieceKind Kind(int id) => kinds[id];

    /// <summary>The byte of a byte piece.</summary>
    public byte ByteValue(int id) => byteValues[id];

    /// <summary>The id of the piece of a byte.</summary>
    public int ByteId(byte value) => byteIds[value];

    private void AddPiece(ProtoReader message)
    {
        int id = pieces.Count;
        string? piece = null;
        float score = 0;
        long kind = (long)PieceKind.Normal;
        while (message.Next())
        {
            switch (message.Field)
            {
                case 1:
                    if (message.LengthBytes("piece") is 0 or > MaximumPieceBytes)
                        throw message.Bad("piece", $"1 to {MaximumPieceBytes} bytes", $"{message.LengthBytes("piece")}");
                    piece = message.Text("piece");
                    break;
                case 2:
                    score = message.Single("score");
                    break;
                case 3:
                    kind = message.Integer("type");
                    break;
            }
        }
        if (piece is null)
            throw message.Bad("piece", "a text", "none");
        if (!float.IsFinite(score))
            throw message.Bad("score", "a finite number", score.ToString(CultureInfo.InvariantCulture));
        if (kind is < (long)PieceKind.Normal or > (long)PieceKind.Byte or (long)PieceKind.Unused)
            throw message.Bad("type", "normal (1), unknown (2), control (3), user-defined (4) or byte (6)", $"{kind}");
        if (!ids.TryAdd(piece, id))
            throw message.Bad("piece", "each piece once", $"{CheckpointException.Show(piece)}, as in pieces[{ids[piece]}]");
        pieces.Add(piece);
        scores.Add(score);
        kinds.Add((PieceKind)kind);
    }

    private int IndexBytesAndUnknown()
    {
        int bytes = 0, unknown = -1;
        for (int id = 0; id < Count; id++)
        {
            if (kinds[id] == PieceKind.Byte)
            {
                byteValues[id] = ParseByte(id);
                byteIds[byteValues[id]] = id;
                bytes++;
            }
            else if (kinds[id] == PieceKind.Unknown)
            {
                if (unknown >= 0)
                    throw Bad(id, "type", "one unknown piece", $"a second one after pieces[{unknown}]");
                unknown = id;
            }
        }
        // Pieces are distinct, so 256 of them cover all bytes.
        if (bytes != byteIds.Length)
            throw new CheckpointException(Path, "pieces", "256 byte pieces, <0x00> to <0xFF>", $"{bytes}");
        if (unknown < 0)
            throw new CheckpointException(Path, "pieces", "an unknown piece", "none");
        return unknown;
    }

    private byte ParseByte(int id)
    {
        string piece = pieces[id];
        if (byte.TryParse(piece.Length == 6 ? piece.AsSpan(3, 2) : [], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value) && piece == $"<0x{value:X2}>")
            return value;
        throw Bad(id, "piece", "a byte piece, <0x00> to <0xFF>", CheckpointException.Show(piece));
    }

    private int FindControl(string piece, string field)
    {
        if (!ids.TryGetValue(piece, out int id))
            throw new CheckpointException(Path, field, "one of the pieces", CheckpointException.Show(piece));
        if (kinds[id] != PieceKind.Control)
            throw new CheckpointException(Path, field, "a control piece", $"{CheckpointException.Show(piece)}, which is {kinds[id]}");
        return id;
    }

    private CheckpointException Bad(int id, string field, string expected, string found) => new(Path, $"pieces[{id}].{field}", expected, found);
}

/// <summary>Types of pieces, numbered as in the SentencePiece format.</summary>
internal enum PieceKind : byte
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}
