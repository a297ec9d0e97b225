using System.Buffers.Binary;

namespace XComposer2.Native.Batch;

/// <summary>
/// Walks the headers of a Parquet file before the library parses them, which would loop or allocate by what they claim. Headers are structures of Thrift's compact
/// protocol; each element takes a byte at least, so that no count can be larger than what is left.
/// </summary>
internal static class ParquetGuard
{
    private const int Tail = 8, MaximumDepth = 24, LongestPageHeader = 1 << 20;
    private const long MaximumFooterBytes = 128L << 20, MaximumPageBytes = 1L << 30;
    private const int UncompressedSize = 2, CompressedSize = 3;

    /// <exception cref="InvalidDataException">The footer is damaged.</exception>
    public static void CheckFooter(Stream file)
    {
        Span<byte> tail = stackalloc byte[Tail];
        if (file.Length < Tail + 4)
            throw new InvalidDataException($"a file of {file.Length} bytes is none");
        file.Seek(-Tail, SeekOrigin.End);
        file.ReadExactly(tail);
        if (!tail[4..].SequenceEqual("PAR1"u8))
            throw new InvalidDataException("its last bytes are not PAR1");
        long length = BinaryPrimitives.ReadUInt32LittleEndian(tail);
        if (length > Math.Min(MaximumFooterBytes, file.Length - Tail - 4))
            throw new InvalidDataException($"its footer would have {length} bytes");
        byte[] footer = new byte[length];
        file.Seek(-Tail - length, SeekOrigin.End);
        file.ReadExactly(footer);
        file.Seek(0, SeekOrigin.Begin);
        _ = new Walker(footer).Structure();
    }

    /// <summary>Walks the pages of a column of a row group.</summary>
    /// <param name="file">Its position is kept.</param>
    /// <param name="start">Of the first page.</param>
    /// <param name="bytes">Of all pages.</param>
    /// <exception cref="InvalidDataException">A page's header is damaged, or its size is out of range.</exception>
    public static void CheckPages(Stream file, long start, long bytes)
    {
        if (start < 4 || bytes < 0 || start > file.Length || bytes > file.Length - start)
            throw new InvalidDataException($"its pages would be {bytes} bytes at byte {start}, of {file.Length}");
        long position = file.Position, end = start + bytes;
        byte[] buffer = new byte[(int)Math.Min(LongestPageHeader, bytes)];
        while (start < end)
        {
            int available = (int)Math.Min(buffer.Length, end - start);
            // Most headers are short: a page is not read twice for the longest one.
            int first = Math.Min(available, 1024);
            file.Seek(start, SeekOrigin.Begin);
            file.ReadExactly(buffer.AsSpan(0, first));
            if (!TryWalk(buffer.AsMemory(0, first), out Walker walker) && first < available)
            {
                file.ReadExactly(buffer.AsSpan(first, available - first));
                walker = new Walker(buffer.AsMemory(0, available));
                _ = walker.Structure();
            }

            (long uncompressed, long compressed) = (walker.Field(UncompressedSize), walker.Field(CompressedSize));
            if (uncompressed is < 0 or > MaximumPageBytes || compressed < 0 || compressed > end - start - walker.Position)
                throw new InvalidDataException($"byte {start}: a page of {compressed} bytes, {uncompressed} uncompressed");
            start += walker.Position + compressed;
        }

        file.Seek(position, SeekOrigin.Begin);
    }

    private static bool TryWalk(ReadOnlyMemory<byte> bytes, out Walker walker)
    {
        walker = new Walker(bytes);
        try
        {
            return walker.Structure();
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private sealed class Walker(ReadOnlyMemory<byte> bytes)
    {
        private readonly Dictionary<int, long> fields = [];
        private int depth;

        public int Position { get; private set; }

        private int Left => bytes.Length - Position;

        /// <summary>An integer of the outer structure.</summary>
        public long Field(int id) => fields.TryGetValue(id, out long value) ? value : throw new InvalidDataException($"a page's header lacks field {id}");

        public bool Structure()
        {
            if (++depth > MaximumDepth)
                throw new InvalidDataException("its headers are nested too deeply");
            int id = 0;
            for (byte header = Byte(); header != 0; header = Byte())
            {
                id = header >> 4 == 0 ? (int)Integer() : id + (header >> 4);
                int kind = header & 15;
                if (kind is >= 4 and <= 6 && depth == 1)
                    fields[id] = Integer();
                else if (kind is not (1 or 2))
                    Value(kind);
            }

            depth--;
            return true;
        }

        private void Value(int kind)
        {
            switch (kind)
            {
                case 1 or 2 or 3:
                    Skip(1);
                    break;
                case 4 or 5 or 6:
                    _ = Integer();
                    break;
                case 7:
                    Skip(8);
                    break;
                case 8:
                    Skip(Unsigned());
                    break;
                case 9 or 10:
                    byte list = Byte();
                    Repeat(list >> 4 == 15 ? Unsigned() : (ulong)(list >> 4), list & 15, null);
                    break;
                case 11:
                    if (Unsigned() is > 0 and var count)
                    {
                        byte kinds = Byte();
                        Repeat(count, kinds >> 4, kinds & 15);
                    }

                    break;
                case 12:
                    _ = Structure();
                    break;
                default:
                    throw new InvalidDataException($"its headers have a value of kind {kind}");
            }
        }

        private void Repeat(ulong count, int kind, int? second)
        {
            if (count > (ulong)Left)
                throw new InvalidDataException($"its headers have a list of {count} elements in {Left} bytes");
            for (ulong i = 0; i < count; i++)
            {
                Value(kind);
                if (second is { } other)
                    Value(other);
            }
        }

        private byte Byte() => Left > 0 ? bytes.Span[Position++] : throw new InvalidDataException("its headers are cut off");

        private void Skip(ulong count) => Position += count <= (ulong)Left ? (int)count : throw new InvalidDataException("its headers are cut off");

        private long Integer()
        {
            ulong value = Unsigned();
            return (long)(value >> 1) ^ -(long)(value & 1);
        }

        private ulong Unsigned()
        {
            ulong value = 0;
            for (int shift = 0; shift < 64; shift += 7)
            {
                byte part = Byte();
                value |= (ulong)(part & 0x7F) << shift;
                if (part < 0x80)
                    return value;
            }

            throw new InvalidDataException("its headers have a number of more than 64 bits");
        }
    }
}
