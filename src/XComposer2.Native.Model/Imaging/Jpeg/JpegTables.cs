using System.Buffers.Binary;

namespace XComposer2.Native.Model;

/// <summary>Tables and parameters from the segments read so far.</summary>
internal sealed class JpegTables
{
    private const int JfifBytes = 14;
    private const int AdobeBytes = 12;
    private readonly JpegHuffmanTable?[] _dc = new JpegHuffmanTable?[4];
    private readonly JpegHuffmanTable?[] _ac = new JpegHuffmanTable?[4];
    private readonly short[]?[] _quantisers = new short[]?[4];

    /// <summary>Units between restart markers; 0 if there are none.</summary>
    public int RestartInterval { get; private set; }

    public bool HasJfif { get; private set; }

    /// <summary>Null if there is no Adobe segment.</summary>
    public int? AdobeTransform { get; private set; }

    /// <summary>Processes a segment.</summary>
    /// <returns>Null, or a description of the fault.</returns>
    public string? Read(int marker, ReadOnlySpan<byte> segment)
    {
        switch (marker)
        {
            case JpegMarker.HuffmanTables: return ReadHuffmanTables(segment);
            case JpegMarker.Quantisers: return ReadQuantisers(segment);
            case JpegMarker.RestartInterval:
                if (segment.Length != 2) return $"a restart interval of {segment.Length} bytes";
                RestartInterval = BinaryPrimitives.ReadUInt16BigEndian(segment);
                return null;
            case JpegMarker.Jfif:
                HasJfif |= segment.Length >= JfifBytes && segment.StartsWith("JFIF\0"u8);
                return null;
            case JpegMarker.Adobe:
                if (segment.Length >= AdobeBytes && segment.StartsWith("Adobe"u8)) AdobeTransform = segment[11];
                return null;
            case 0xFE or 0xDC or 0xCC or (>= 0xE0 and <= 0xEF): return null;
            case 0xD8: return "a second start marker";
            default: return $"an unknown marker 0x{marker:X2}";
        }
    }

    /// <summary>In row order; null if undefined.</summary>
    public short[]? Quantisers(int index) => index < 4 ? _quantisers[index] : null;

    /// <summary>A defined table or, with <paramref name="orStandard"/>, the standard table for index 0 and 1; null if undefined.</summary>
    public JpegHuffmanTable? Huffman(bool isAc, int index, bool orStandard)
    {
        if (index > 3) return null;
        JpegHuffmanTable?[] tables = isAc ? _ac : _dc;
        if (tables[index] is null && orStandard && index < 2) tables[index] = JpegHuffmanTable.Standard(isAc, index);
        return tables[index];
    }

    private string? ReadHuffmanTables(ReadOnlySpan<byte> segment)
    {
        while (segment.Length > 16)
        {
            int count = 0;
            foreach (byte codes in segment.Slice(1, 16)) count += codes;
            if (count > 256 || count > segment.Length - 17) return $"a Huffman table of {count} codes in {segment.Length - 17} bytes";
            int index = segment[0];
            if ((index & ~0x13) != 0) return $"Huffman table {index}: 0 to 3 or 16 to 19 expected";
            JpegHuffmanTable? table = JpegHuffmanTable.Create(segment.Slice(1, 16), segment.Slice(17, count));
            if (table is null) return "a Huffman table that is no prefix code";
            ((index & 0x10) != 0 ? _ac : _dc)[index & 3] = table;
            segment = segment[(17 + count)..];
        }
        return segment.IsEmpty ? null : $"{segment.Length} bytes behind the Huffman tables";
    }

    private string? ReadQuantisers(ReadOnlySpan<byte> segment)
    {
        while (!segment.IsEmpty)
        {
            int index = segment[0] & 15, bytesEach = segment[0] >> 4 == 0 ? 1 : 2;
            if (index > 3) return $"quantisation table {index}: 0 to 3 expected";
            if (segment.Length < 1 + 64 * bytesEach) return "a quantisation table that is cut off";
            short[] factors = new short[64];
            for (int coefficient = 0; coefficient < 64; coefficient++)
                factors[JpegInverseDct.ZigZag[coefficient]] = bytesEach == 1 ? segment[1 + coefficient] : (short)BinaryPrimitives.ReadUInt16BigEndian(segment[(1 + 2 * coefficient)..]);
            _quantisers[index] = factors;
            segment = segment[(1 + 64 * bytesEach)..];
        }
        return null;
    }
}
