using System.Buffers.Binary;
using System.Text;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>
/// What a picture's file says of it in words: tEXt and iTXt chunks of PNG, comments and EXIF descriptions of JPEG. Read with no trust and no
/// allocation beyond the texts; damage ends the reading, and what was found until then counts.
/// </summary>
internal static class PictureMetadata
{
    private const int MaxTexts = 16;
    private const int PngSignatureBytes = 8;

    /// <summary>One line; empty where there is nothing, or only what a camera or program writes into every file.</summary>
    public static string Of(ReadOnlySpan<byte> file)
    {
        List<string> texts = [];
        if (file.StartsWith<byte>([0x89, 0x50, 0x4E, 0x47]))
            ReadPng(file, texts);
        else if (file.StartsWith<byte>([0xFF, 0xD8, 0xFF]))
            ReadJpeg(file, texts);
        return CaptionText.Clean(string.Join(' ', texts.Select(text => CaptionText.Clean(text)).Where(IsWritten).Distinct(StringComparer.Ordinal)));
    }

    private static bool IsWritten(string text)
    {
        foreach (string beginning in (ReadOnlySpan<string>)["OLYMPUS DIGITAL", "SONY DSC", "KODAK", "Minolta DSC", "DCIM", "DIGITAL CAMERA", "SAMSUNG", "Created with", "CREATOR:", "LEAD Tech", "File written by", "AppleMark", "Screenshot", "ASCII", "Optimized by", "Lavc", "JPEG"])
            if (text.StartsWith(beginning, StringComparison.OrdinalIgnoreCase))
                return false;
        return NameWords.Of(text).Length > 0;
    }

    private static void ReadPng(ReadOnlySpan<byte> file, List<string> texts)
    {
        long position = PngSignatureBytes;
        while (position + 12 <= file.Length && texts.Count < MaxTexts)
        {
            ReadOnlySpan<byte> chunk = file[(int)position..];
            uint length = BinaryPrimitives.ReadUInt32BigEndian(chunk);
            if (length > chunk.Length - 12)
                return;
            ReadOnlySpan<byte> content = chunk.Slice(8, (int)length);
            if (chunk.Slice(4, 4).SequenceEqual("tEXt"u8))
                AddPngText(content, texts, isUtf8: false);
            else if (chunk.Slice(4, 4).SequenceEqual("iTXt"u8))
                AddPngText(content, texts, isUtf8: true);
            position += 12 + (long)length;
        }
    }

    private static void AddPngText(ReadOnlySpan<byte> content, List<string> texts, bool isUtf8)
    {
        int keyEnd = content.IndexOf((byte)0);
        if (keyEnd < 0 || !IsDescription(content[..keyEnd]))
            return;
        ReadOnlySpan<byte> value = content[(keyEnd + 1)..];
        if (isUtf8)
        {
            // Compression flag and method, language, translated keyword. A compressed text is not worth an inflater.
            if (value.Length < 4 || value[0] != 0 || !SkipField(value[2..], out value) || !SkipField(value, out value))
                return;
        }

        value = value[..Math.Min(value.Length, 4 * CaptionText.MaxLength)];
        texts.Add(isUtf8 ? Encoding.UTF8.GetString(value) : DecodeLoose(value));
    }

    private static bool IsDescription(ReadOnlySpan<byte> key) =>
        Ascii.EqualsIgnoreCase(key, "Title"u8) || Ascii.EqualsIgnoreCase(key, "Description"u8) || Ascii.EqualsIgnoreCase(key, "Comment"u8) || Ascii.EqualsIgnoreCase(key, "Caption"u8);

    private static bool SkipField(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> rest)
    {
        int end = bytes.IndexOf((byte)0);
        rest = end < 0 ? default : bytes[(end + 1)..];
        return end >= 0;
    }

    private static void ReadJpeg(ReadOnlySpan<byte> file, List<string> texts)
    {
        int position = 2;
        while (position + 4 <= file.Length && file[position] == 0xFF && texts.Count < MaxTexts)
        {
            byte marker = file[position + 1];
            if (marker is 0xD9 or 0xDA)
                return;
            int length = BinaryPrimitives.ReadUInt16BigEndian(file[(position + 2)..]);
            if (length < 2 || length > file.Length - position - 2)
                return;
            ReadOnlySpan<byte> content = file.Slice(position + 4, length - 2);
            if (marker == 0xFE)
                texts.Add(DecodeLoose(content));
            else if (marker == 0xE1 && content.StartsWith("Exif\0\0"u8))
                ExifTexts.Read(content[6..], texts);
            position += 2 + length;
        }
    }

    /// <summary>UTF-8 where it is valid, else Latin-1; both are found in fields that say neither.</summary>
    internal static string DecodeLoose(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> text = bytes.TrimEnd((byte)0);
        return System.Text.Unicode.Utf8.IsValid(text) ? Encoding.UTF8.GetString(text) : Encoding.Latin1.GetString(text);
    }
}

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
