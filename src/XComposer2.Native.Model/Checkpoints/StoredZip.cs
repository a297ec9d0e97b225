using System.Buffers.Binary;
using System.Text;

namespace XComposer2.Native.Model;

/// <summary>
/// Directory of a zip archive whose entries are stored, not compressed, so that they can be used in place. Zip64 included. Entries must
/// lie inside of the file, before the directory, and must not overlap. Checksums are not verified: that would read every weight.
/// </summary>
internal static class StoredZip
{
    private const int EndRecordBytes = 22, End64LocatorBytes = 20, End64RecordBytes = 56, DirectoryRecordBytes = 46, LocalHeaderBytes = 30;
    private const int MaximumCommentBytes = ushort.MaxValue;
    private const int MaximumDirectoryBytes = 16 << 20;

    /// <summary>Entries by name.</summary>
    /// <exception cref="CheckpointException">Not such an archive.</exception>
    public static Dictionary<string, ZipEntry> Read(FileBytes bytes)
    {
        (long start, long lengthBytes, long count) = FindDirectory(bytes);
        if (lengthBytes > MaximumDirectoryBytes || start < 0 || start > bytes.LengthBytes - lengthBytes || count < 0 || count > lengthBytes / DirectoryRecordBytes)
            throw Bad(bytes, "zip directory", $"a directory inside of the file's {bytes.LengthBytes} bytes", $"{count} entries, {lengthBytes} bytes at {start}");
        ReadOnlySpan<byte> directory = bytes.Slice(start, (int)lengthBytes);
        Dictionary<string, ZipEntry> entries = new((int)count);
        List<(long Begin, long End, string Name)> extents = new((int)count);
        for (long i = 0; i < count; i++)
        {
            ZipEntry entry = ReadEntry(bytes, ref directory, start, out long headerOffset);
            if (!entries.TryAdd(entry.Name, entry))
                throw Bad(bytes, $"zip entry {CheckpointException.Show(entry.Name)}", "each name once", "a duplicate");
            extents.Add((headerOffset, entry.OffsetBytes + entry.LengthBytes, entry.Name));
        }
        extents.Sort(static (a, b) => a.Begin.CompareTo(b.Begin));
        for (int i = 1; i < extents.Count; i++)
            if (extents[i].Begin < extents[i - 1].End)
                throw Bad(bytes, $"zip entry {CheckpointException.Show(extents[i].Name)}", "bytes of its own", "an overlap with another entry");
        return entries;
    }

    private static (long Start, long LengthBytes, long Count) FindDirectory(FileBytes bytes)
    {
        int tailBytes = (int)Math.Min(bytes.LengthBytes, EndRecordBytes + MaximumCommentBytes);
        long tailStart = bytes.LengthBytes - tailBytes;
        ReadOnlySpan<byte> tail = bytes.Slice(tailStart, tailBytes);
        for (int i = tailBytes - EndRecordBytes; i >= 0; i--)
        {
            ReadOnlySpan<byte> end = tail[i..];
            if (U32(end, 0) != 0x06054b50 || U16(end, 20) != end.Length - EndRecordBytes)
                continue;
            if (U16(end, 4) != U16(end, 6) || (U16(end, 4) is not (0 or 0xFFFF)))
                throw Bad(bytes, "zip directory", "an archive in one part", $"part {U16(end, 4)}");
            if (U16(end, 10) != 0xFFFF && U32(end, 12) != uint.MaxValue && U32(end, 16) != uint.MaxValue)
                return (U32(end, 16), U32(end, 12), U16(end, 10));
            return FindDirectory64(bytes, tailStart + i);
        }
        throw Bad(bytes, "zip directory", "a torch zip archive", "no end of a zip directory (truncated, or not a zip file)");
    }

    private static (long Start, long LengthBytes, long Count) FindDirectory64(FileBytes bytes, long endOffset)
    {
        if (endOffset < End64LocatorBytes + End64RecordBytes)
            throw Bad(bytes, "zip64 locator", "a zip64 locator", "no room for one");
        ReadOnlySpan<byte> locator = bytes.Slice(endOffset - End64LocatorBytes, End64LocatorBytes);
        ulong recordOffset = U64(locator, 8);
        if (U32(locator, 0) != 0x07064b50 || recordOffset > (ulong)(endOffset - End64LocatorBytes - End64RecordBytes))
            throw Bad(bytes, "zip64 locator", "a zip64 locator that points into the file", $"offset {recordOffset}");
        ReadOnlySpan<byte> record = bytes.Slice((long)recordOffset, End64RecordBytes);
        if (U32(record, 0) != 0x06064b50)
            throw Bad(bytes, "zip64 directory", "a zip64 end record", $"0x{U32(record, 0):x8}");
        return ((long)U64(record, 48), (long)Math.Min(U64(record, 40), long.MaxValue), (long)U64(record, 32));
    }

    private static ZipEntry ReadEntry(FileBytes bytes, ref ReadOnlySpan<byte> directory, long directoryStart, out long headerOffset)
    {
        if (directory.Length < DirectoryRecordBytes || U32(directory, 0) != 0x02014b50)
            throw Bad(bytes, "zip directory", "an entry", "something else");
        ReadOnlySpan<byte> record = directory;
        int nameBytes = U16(record, 28), extraBytes = U16(record, 30), commentBytes = U16(record, 32);
        if (directory.Length - DirectoryRecordBytes < nameBytes + extraBytes + commentBytes)
            throw Bad(bytes, "zip directory", "a whole entry", "a truncated one");
        directory = directory[(DirectoryRecordBytes + nameBytes + extraBytes + commentBytes)..];
        ReadOnlySpan<byte> rawName = record.Slice(DirectoryRecordBytes, nameBytes);
        string name = Encoding.UTF8.GetString(rawName);
        string field = $"zip entry {CheckpointException.Show(name)}";
        if ((U16(record, 8) & 1) != 0)
            throw Bad(bytes, field, "plain bytes", "an encrypted entry");
        ulong stored = U32(record, 20), size = U32(record, 24), header = U32(record, 42);
        ReadZip64(record.Slice(DirectoryRecordBytes + nameBytes, extraBytes), ref size, ref stored, ref header);
        if (U16(record, 10) != 0 || stored != size)
            throw Bad(bytes, field, "a stored entry (torch compresses nothing)", $"method {U16(record, 10)}, {stored} bytes for {size}");

        if (header > (ulong)(directoryStart - LocalHeaderBytes) || directoryStart < LocalHeaderBytes)
            throw Bad(bytes, field, $"a header before the directory at {directoryStart}", $"offset {header}");
        headerOffset = (long)header;
        ReadOnlySpan<byte> local = bytes.Slice(headerOffset, LocalHeaderBytes);
        long dataOffset = headerOffset + LocalHeaderBytes + U16(local, 26) + U16(local, 28);
        if (U32(local, 0) != 0x04034b50 || U16(local, 8) != 0 || U16(local, 26) != nameBytes)
            throw Bad(bytes, field, "a local header that agrees with the directory", "another");
        if (dataOffset > directoryStart || size > (ulong)(directoryStart - dataOffset))
            throw Bad(bytes, field, $"bytes before the directory at {directoryStart}", $"{size} bytes at {dataOffset}");
        if (!bytes.Slice(headerOffset + LocalHeaderBytes, nameBytes).SequenceEqual(rawName))
            throw Bad(bytes, field, "the same name in its local header", "another");
        return new ZipEntry(name, dataOffset, (long)size);
    }

    private static void ReadZip64(ReadOnlySpan<byte> extra, ref ulong size, ref ulong stored, ref ulong header)
    {
        while (extra.Length >= 4)
        {
            int fieldBytes = Math.Min(U16(extra, 2), extra.Length - 4);
            ReadOnlySpan<byte> field = extra.Slice(4, fieldBytes);
            if (U16(extra, 0) == 1)
            {
                Take(ref field, ref size);
                Take(ref field, ref stored);
                Take(ref field, ref header);
                return;
            }
            extra = extra[(4 + fieldBytes)..];
        }

        static void Take(ref ReadOnlySpan<byte> field, ref ulong value)
        {
            if (value != uint.MaxValue || field.Length < 8)
                return;
            value = U64(field, 0);
            field = field[8..];
        }
    }

    private static ushort U16(ReadOnlySpan<byte> span, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(span[offset..]);

    private static uint U32(ReadOnlySpan<byte> span, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(span[offset..]);

    private static ulong U64(ReadOnlySpan<byte> span, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(span[offset..]);

    private static CheckpointException Bad(FileBytes bytes, string field, string expected, string found) => new(bytes.Path, field, expected, found);
}

/// <summary>A stored entry: its bytes stand in the archive as they are.</summary>
internal readonly record struct ZipEntry(string Name, long OffsetBytes, long LengthBytes);
