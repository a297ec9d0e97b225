using System.Buffers.Binary;

namespace XComposer2.Native.Model;

/// <summary>Finds the markers of a JPEG. Bytes outside segments are skipped, as in libjpeg.</summary>
internal static class JpegMarker
{
    public const int End = 0xD9;
    public const int Scan = 0xDA;
    public const int HuffmanTables = 0xC4;
    public const int Quantisers = 0xDB;
    public const int RestartInterval = 0xDD;
    public const int Jfif = 0xE0;
    public const int Exif = 0xE1;
    public const int Adobe = 0xEE;

    /// <summary>Returns the next marker; -1 at the end of the file.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="position">Set to the end of the marker.</param>
    public static int Next(ReadOnlySpan<byte> bytes, ref int position)
    {
        while (true)
        {
            int next = bytes[position..].IndexOf((byte)0xFF);
            if (next < 0) return -1;
            position += next + 1;
            while (position < bytes.Length && bytes[position] == 0xFF) position++;
            if (position >= bytes.Length) return -1;
            int marker = bytes[position++];
            if (marker != 0) return marker;
        }
    }

    /// <summary>Whether the marker has no segment (RST, TEM).</summary>
    public static bool IsAlone(int marker) => marker is 0x01 or (>= 0xD0 and <= 0xD7);

    public static bool IsFrame(int marker) => marker is >= 0xC0 and <= 0xCF and not (HuffmanTables or 0xC8 or 0xCC);

    /// <summary>Content of a segment without its length field.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="position">End of the marker; set to the end of the segment if that is complete.</param>
    /// <param name="isWhole">False if the length is below 2 or exceeds the file.</param>
    public static ReadOnlySpan<byte> Segment(ReadOnlySpan<byte> bytes, ref int position, out bool isWhole)
    {
        int length = position + 2 <= bytes.Length ? BinaryPrimitives.ReadUInt16BigEndian(bytes[position..]) : 0;
        isWhole = length >= 2 && length <= bytes.Length - position;
        if (!isWhole) return default;
        ReadOnlySpan<byte> content = bytes.Slice(position + 2, length - 2);
        position += length;
        return content;
    }

    /// <summary>Name of a coding process.</summary>
    public static string Process(int marker) => marker switch
    {
        0xC3 or 0xC7 or 0xCB or 0xCF => "lossless coding",
        0xC9 or 0xCA or 0xCD or 0xCE => "arithmetic coding",
        _ => $"coding process 0x{marker:X2}",
    };
}
