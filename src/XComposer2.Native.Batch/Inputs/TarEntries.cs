using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace XComposer2.Native.Batch;

/// <summary>One file of an archive.</summary>
/// <param name="Name">As stored; a label, never a path to open.</param>
/// <param name="Offset">Of its header.</param>
/// <param name="SizeBytes">As claimed; nothing is allocated for it.</param>
internal readonly record struct TarEntry(string Name, long Offset, long SizeBytes);

/// <summary>Reads a tar archive (ustar, pax, GNU) from any stream, forward only. Headers are checked; the content is read as it arrives.</summary>
/// <param name="stream">At the beginning; not owned.</param>
internal sealed class TarEntries(Stream stream)
{
    private const int Block = 512;
    private const int LongestHeaderData = 1 << 20;

    private readonly byte[] header = new byte[Block];
    private long position;
    private long left;
    private long padding;

    /// <summary>The next plain file; null at the end. What is left of the last one is passed over.</summary>
    /// <exception cref="InvalidDataException">The archive is damaged or cut off.</exception>
    public TarEntry? Next()
    {
        string? longName = null;
        long? longSize = null;
        while (true)
        {
            Skip(left + padding);
            left = padding = 0;
            long offset = position;
            int read = stream.ReadAtLeast(header, Block, throwOnEndOfStream: false);
            position += read;
            if (read == 0 || (read == Block && !header.AsSpan().ContainsAnyExcept((byte)0)))
                return null;
            if (read < Block)
                throw new InvalidDataException($"cut off within a header at byte {offset}");
            RequireChecksum(offset);
            long size = Number(header.AsSpan(124, 12), "size", offset);
            (char kind, string name) = ((char)header[156], Name());
            left = kind is '1' or '2' or '3' or '4' or '5' or '6' ? 0 : size;
            padding = (Block - (left % Block)) % Block;
            switch (kind)
            {
                case '0' or '\0' or '7':
                    left = longSize ?? size;
                    padding = (Block - (left % Block)) % Block;
                    // An old archive marks folders by their names alone.
                    if (name.EndsWith('/'))
                        break;
                    return new TarEntry(longName ?? name, offset, left);
                case 'L':
                    longName = Encoding.UTF8.GetString(HeaderData(offset)).TrimEnd('\0');
                    continue;
                case 'x':
                    ReadRecords(HeaderData(offset), ref longName, ref longSize, offset);
                    continue;
                case 'S' or 'M':
                    throw new InvalidDataException($"byte {offset}: expected plain files, found a part of a file");
            }

            longName = null;
            longSize = null;
        }
    }

    /// <summary>The content of the last file.</summary>
    /// <param name="maximumBytes">A larger one is not read.</param>
    /// <returns>Null if it is larger.</returns>
    /// <exception cref="InvalidDataException">The archive is cut off.</exception>
    public byte[]? Read(long maximumBytes)
    {
        if (left > maximumBytes)
            return null;
        // Grows with what arrives: the claimed size may be wrong.
        using MemoryStream content = new((int)Math.Min(left, 64 << 10));
        byte[] piece = new byte[Math.Min(64 << 10, Math.Max(left, 1))];
        while (left > 0)
        {
            int read = stream.Read(piece, 0, (int)Math.Min(piece.Length, left));
            if (read == 0)
                throw new InvalidDataException($"cut off: {left} bytes are missing at byte {position}");
            content.Write(piece, 0, read);
            left -= read;
            position += read;
        }

        return content.ToArray();
    }

    private void Skip(long bytes)
    {
        if (bytes == 0)
            return;
        if (stream.CanSeek)
        {
            if (bytes > stream.Length - stream.Position)
                throw new InvalidDataException($"cut off: {bytes - (stream.Length - stream.Position)} bytes are missing");
            stream.Seek(bytes, SeekOrigin.Current);
            position += bytes;
            return;
        }

        byte[] piece = new byte[Math.Min(bytes, 64 << 10)];
        for (long rest = bytes; rest > 0;)
        {
            int read = stream.Read(piece, 0, (int)Math.Min(piece.Length, rest));
            if (read == 0)
                throw new InvalidDataException($"cut off: {rest} bytes are missing");
            rest -= read;
            position += read;
        }
    }

    private byte[] HeaderData(long offset) => Read(LongestHeaderData) ?? throw new InvalidDataException($"byte {offset}: expected a name of at most {LongestHeaderData} bytes, found {left}");

    private void RequireChecksum(long offset)
    {
        long claimed = Number(header.AsSpan(148, 8), "checksum", offset), sum = 8 * ' ';
        for (int i = 0; i < Block; i++)
            sum += i is >= 148 and < 156 ? 0 : header[i];
        if (sum != claimed)
            throw new InvalidDataException($"byte {offset}: expected the header of a file, found other data (checksum {claimed}, computed {sum})");
    }

    private string Name()
    {
        string name = Text(header.AsSpan(0, 100));
        bool hasPrefix = header.AsSpan(257, 6).SequenceEqual("ustar\0"u8);
        string prefix = hasPrefix ? Text(header.AsSpan(345, 155)) : "";
        return prefix.Length > 0 ? $"{prefix}/{name}" : name;
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    private static long Number(ReadOnlySpan<byte> field, string what, long offset)
    {
        // GNU writes large numbers in binary, marked by the highest bit.
        if ((field[0] & 0x80) != 0)
        {
            long value = field[0] & 0x3F;
            foreach (byte digit in field[1..])
                value = value > long.MaxValue >> 8 ? throw new InvalidDataException($"byte {offset}: {what} exceeds 63 bits") : (value << 8) | digit;
            return value;
        }

        long number = 0;
        foreach (byte digit in field.Trim(" \0"u8))
            number = digit is >= (byte)'0' and <= (byte)'7' ? (number << 3) | (uint)(digit - '0') : throw new InvalidDataException($"byte {offset}: expected {what} in octal digits");
        return number;
    }

    // "27 path=a/long/name.jpg\n"
    private static void ReadRecords(ReadOnlySpan<byte> data, ref string? name, ref long? size, long offset)
    {
        while (!data.IsEmpty)
        {
            int space = data.IndexOf((byte)' ');
            if (space <= 0 || !Utf8Parser.TryParse(data[..space], out int length, out int digits) || digits != space || length <= space + 1 || length > data.Length || data[length - 1] != '\n')
                throw new InvalidDataException($"byte {offset}: a damaged extended header");
            ReadOnlySpan<byte> record = data[(space + 1)..(length - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals > 0 && record[..equals].SequenceEqual("path"u8))
                name = Encoding.UTF8.GetString(record[(equals + 1)..]);
            if (equals > 0 && record[..equals].SequenceEqual("size"u8))
                size = long.TryParse(record[(equals + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : throw new InvalidDataException($"byte {offset}: a damaged extended header: size");
            data = data[length..];
        }
    }
}
