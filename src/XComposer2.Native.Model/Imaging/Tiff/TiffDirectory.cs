using System.Buffers.Binary;

namespace XComposer2.Native.Model;

/// <summary>First directory of a TIFF file or EXIF block; classic and BigTIFF, both byte orders.</summary>
internal sealed class TiffDirectory
{
    private const int MaxEntries = 4096;
    private readonly Dictionary<int, Entry> _entries = [];
    private readonly bool _isBig;

    private TiffDirectory(ReadOnlyMemory<byte> file, bool isLittleEndian, bool isBig)
    {
        File = file;
        IsLittleEndian = isLittleEndian;
        _isBig = isBig;
    }

    private readonly record struct Entry(int Type, long Count, long Offset);

    public ReadOnlyMemory<byte> File { get; }

    public bool IsLittleEndian { get; }

    public static bool IsTiff(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith("II*\0"u8) || bytes.StartsWith("MM\0*"u8) || bytes.StartsWith("II+\0"u8) || bytes.StartsWith("MM\0+"u8);

    /// <returns>Null if the directory is truncated or invalid.</returns>
    public static TiffDirectory? Read(ReadOnlyMemory<byte> file)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        if (bytes.Length < 8 || !IsTiff(bytes)) return null;
        bool isLittleEndian = bytes[0] == 'I', isBig = bytes[2] + bytes[3] == '+';
        if (isBig && bytes.Length < 16) return null;
        TiffDirectory directory = new(file, isLittleEndian, isBig);
        long start = isBig ? directory.Signed(8, 8) : directory.Signed(4, 4);
        int countBytes = isBig ? 8 : 2, entryBytes = isBig ? 20 : 12;
        if (start < 8 || start > bytes.Length - countBytes) return null;
        long count = directory.Signed((int)start, countBytes);
        if (count is < 0 or > MaxEntries || start + countBytes + count * entryBytes > bytes.Length) return null;
        for (int index = 0; index < count; index++) directory.ReadEntry((int)(start + countBytes + index * entryBytes));
        return directory;
    }

    public bool Has(int tag) => _entries.ContainsKey(tag);

    /// <summary>First value of a tag; <paramref name="otherwise"/> if missing or not an integer.</summary>
    public long Number(int tag, long otherwise)
    {
        long[] values = Numbers(tag);
        return values.Length > 0 ? values[0] : otherwise;
    }

    /// <summary>All values of a tag; empty if missing or not integers.</summary>
    public long[] Numbers(int tag)
    {
        if (!_entries.TryGetValue(tag, out Entry entry) || TypeBytes(entry.Type) is not (var size and > 0) || entry.Type is 5 or 10 or 11 or 12) return [];
        long[] values = new long[entry.Count];
        for (int index = 0; index < values.Length; index++) values[index] = Signed((int)entry.Offset + index * size, size);
        return values;
    }

    /// <summary>Raw bytes of a tag; empty if missing.</summary>
    public ReadOnlyMemory<byte> Bytes(int tag) =>
        _entries.TryGetValue(tag, out Entry entry) ? File.Slice((int)entry.Offset, (int)(entry.Count * TypeBytes(entry.Type))) : default;

    private void ReadEntry(int position)
    {
        int tag = (int)Signed(position, 2), type = (int)Signed(position + 2, 2), fieldBytes = _isBig ? 8 : 4;
        long count = Signed(position + 4, fieldBytes);
        int field = position + 4 + fieldBytes;
        int size = TypeBytes(type);
        if (size == 0 || count < 0 || count > File.Length / size) return;
        long offset = count * size <= fieldBytes ? field : Signed(field, fieldBytes);
        if (offset < 0 || offset > File.Length - count * size) return;
        _entries.TryAdd(tag, new Entry(type, count, offset));
    }

    private static int TypeBytes(int type) => type switch { 1 or 2 or 6 or 7 => 1, 3 or 8 => 2, 4 or 9 or 11 or 13 => 4, 5 or 10 or 12 or 16 or 17 or 18 => 8, _ => 0 };

    // Values above 2^63 become negative and are rejected as offsets and counts.
    private long Signed(int offset, int size)
    {
        ReadOnlySpan<byte> bytes = File.Span.Slice(offset, size);
        return size switch
        {
            1 => bytes[0],
            2 => IsLittleEndian ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes),
            4 => IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes),
            _ => IsLittleEndian ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : BinaryPrimitives.ReadInt64BigEndian(bytes),
        };
    }
}
