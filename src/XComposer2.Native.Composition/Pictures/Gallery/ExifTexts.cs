using System.Buffers.Binary;
using System.Text;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>Descriptions in the first directory of a TIFF structure, as EXIF has it. Offsets that lead outside are passed over.</summary>
internal static class ExifTexts
{
    private const int EntryBytes = 12;
    private const int MaxEntries = 512;
    private const ushort ImageDescription = 0x010E;
    private const ushort XpTitle = 0x9C9B;
    private const ushort XpComment = 0x9C9C;
    private const ushort XpSubject = 0x9C9F;

    public static void Read(ReadOnlySpan<byte> tiff, List<string> texts)
    {
        if (tiff.Length < 8)
            return;
        bool isLittle = tiff.StartsWith("II"u8);
        if (!isLittle && !tiff.StartsWith("MM"u8))
            return;
        uint directory = U32(tiff[4..], isLittle);
        if (directory > tiff.Length - 2)
            return;
        int entries = Math.Min((int)U16(tiff[(int)directory..], isLittle), MaxEntries);
        ReadOnlySpan<byte> rest = tiff[((int)directory + 2)..];
        for (int index = 0; index < entries && rest.Length >= EntryBytes; index++, rest = rest[EntryBytes..])
            ReadEntry(tiff, rest[..EntryBytes], isLittle, texts);
    }

    private static void ReadEntry(ReadOnlySpan<byte> tiff, ReadOnlySpan<byte> entry, bool isLittle, List<string> texts)
    {
        ushort tag = U16(entry, isLittle);
        if (tag is not (ImageDescription or XpTitle or XpComment or XpSubject))
            return;
        // Both kinds of text count in bytes; up to four of them lie in the entry itself.
        uint length = U32(entry[4..], isLittle);
        uint offset = U32(entry[8..], isLittle);
        if (length > 4 && (ulong)offset + length > (ulong)tiff.Length)
            return;
        ReadOnlySpan<byte> value = length <= 4 ? entry.Slice(8, (int)length) : tiff.Slice((int)offset, (int)length);
        value = value[..Math.Min(value.Length, 4 * CaptionText.MaxLength)];
        texts.Add(tag == ImageDescription ? PictureMetadata.DecodeLoose(value) : Encoding.Unicode.GetString(value).TrimEnd('\0'));
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, bool isLittle) =>
        isLittle ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);

    private static uint U32(ReadOnlySpan<byte> bytes, bool isLittle) =>
        isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
