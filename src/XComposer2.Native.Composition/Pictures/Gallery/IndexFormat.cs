using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>
/// An index as bytes, little-endian: magic and version; SHA-256 of the model's fingerprint; number of pictures (int32); for each path, size (int64),
/// ticks (int64), SHA-256, features, metadata, number of captions (byte, 255 for "not asked") and captions; SHA-256 of all that. Texts are UTF-8
/// behind their length (int32).
/// </summary>
internal static class IndexFormat
{
    private const int MaxTextBytes = 64 << 10;
    private const byte NotAsked = 255;

    private static ReadOnlySpan<byte> Magic => "XC2GLRY1"u8;

    public static byte[] Write(string fingerprint, IReadOnlyCollection<PictureRecord> records)
    {
        using MemoryStream stream = new();
        stream.Write(Magic);
        stream.Write(SHA256.HashData(Encoding.UTF8.GetBytes(fingerprint)));
        WriteInteger(stream, records.Count);
        Span<byte> facts = stackalloc byte[16 + ContentHash.Length];
        foreach (PictureRecord record in records)
        {
            WriteText(stream, record.File.Path);
            BinaryPrimitives.WriteInt64LittleEndian(facts, record.File.FileBytes);
            BinaryPrimitives.WriteInt64LittleEndian(facts[8..], record.File.ModifiedTicks);
            record.Hash.Write(facts[16..]);
            stream.Write(facts);
            stream.Write(MemoryMarshal.AsBytes<sbyte>(record.Features));
            WriteText(stream, record.Metadata);
            stream.WriteByte(record.Captions is null ? NotAsked : (byte)Math.Min(record.Captions.Count, NotAsked - 1));
            foreach (string caption in (record.Captions ?? []).Take(NotAsked - 1))
                WriteText(stream, caption);
        }

        stream.Write(SHA256.HashData(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
        return stream.ToArray();
    }

    /// <summary>Reads an index that anybody may have written. Nothing is allocated before its bytes are there.</summary>
    /// <exception cref="InvalidDataException">Damaged, of another version or of another model; the message says which, without the file's name.</exception>
    public static List<PictureRecord> Read(ReadOnlySpan<byte> bytes, string fingerprint)
    {
        if (bytes.Length < Magic.Length + (2 * SHA256.HashSizeInBytes) + sizeof(int) || !bytes.StartsWith(Magic))
            throw new InvalidDataException("it is no index of this version");
        ReadOnlySpan<byte> content = bytes[..^SHA256.HashSizeInBytes];
        if (!SHA256.HashData(content).AsSpan().SequenceEqual(bytes[content.Length..]))
            throw new InvalidDataException("it is damaged (checksum)");
        IndexCursor cursor = new(content[Magic.Length..]);
        if (!cursor.Take(SHA256.HashSizeInBytes).SequenceEqual(SHA256.HashData(Encoding.UTF8.GetBytes(fingerprint))))
            throw new InvalidDataException("it was made with another model");
        int count = cursor.Integer();
        List<PictureRecord> records = [];
        HashSet<string> paths = new(StringComparer.Ordinal);
        while (records.Count < count)
        {
            PictureRecord record = ReadRecord(ref cursor);
            if (!paths.Add(record.File.Path))
                throw new InvalidDataException("it is damaged (a picture comes twice)");
            records.Add(record);
        }

        if (!cursor.IsAtEnd)
            throw new InvalidDataException("it is damaged (bytes behind the last picture)");
        return records;
    }

    private static PictureRecord ReadRecord(ref IndexCursor cursor)
    {
        string path = cursor.Text(MaxTextBytes);
        FoundPicture file = new(path, cursor.Long(), cursor.Long());
        ContentHash hash = ContentHash.Read(cursor.Take(ContentHash.Length));
        sbyte[] features = MemoryMarshal.Cast<byte, sbyte>(cursor.Take(CompactFeatures.Length)).ToArray();
        string metadata = CaptionText.Clean(cursor.Text(MaxTextBytes));
        byte captionCount = cursor.Take(1)[0];
        List<string>? captions = captionCount == NotAsked ? null : [];
        for (int index = 0; captions is not null && index < captionCount; index++)
            captions.Add(CaptionText.Clean(cursor.Text(MaxTextBytes)));
        return new PictureRecord(file, hash, features, metadata, captions);
    }

    private static void WriteText(MemoryStream stream, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        WriteInteger(stream, bytes.Length);
        stream.Write(bytes);
    }

    private static void WriteInteger(MemoryStream stream, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }
}

/// <summary>Walks an index's bytes; a step over the end is an <see cref="InvalidDataException"/>.</summary>
internal ref struct IndexCursor(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> rest = bytes;

    public readonly bool IsAtEnd => rest.IsEmpty;

    public ReadOnlySpan<byte> Take(int count)
    {
        if (count > rest.Length)
            throw new InvalidDataException("it is damaged (cut off)");
        ReadOnlySpan<byte> taken = rest[..count];
        rest = rest[count..];
        return taken;
    }

    public int Integer()
    {
        int value = BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));
        return value >= 0 ? value : throw new InvalidDataException("it is damaged (a negative count)");
    }

    public long Long() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

    public string Text(int maxBytes)
    {
        int length = Integer();
        if (length > maxBytes)
            throw new InvalidDataException("it is damaged (a text over the limit)");
        return Encoding.UTF8.GetString(Take(length));
    }
}

/// <summary>SHA-256 of a file.</summary>
internal readonly record struct ContentHash(UInt128 High, UInt128 Low)
{
    public const int Length = SHA256.HashSizeInBytes;

    public static ContentHash Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> digest = stackalloc byte[Length];
        SHA256.HashData(bytes, digest);
        return Read(digest);
    }

    public static ContentHash Read(ReadOnlySpan<byte> digest) => new(BinaryPrimitives.ReadUInt128BigEndian(digest), BinaryPrimitives.ReadUInt128BigEndian(digest[16..]));

    public void Write(Span<byte> digest)
    {
        BinaryPrimitives.WriteUInt128BigEndian(digest, High);
        BinaryPrimitives.WriteUInt128BigEndian(digest[16..], Low);
    }

    /// <summary>64 hexadecimal digits.</summary>
    public override string ToString() => $"{High:x32}{Low:x32}";
}
