namespace XComposer2.Native.Model;

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
