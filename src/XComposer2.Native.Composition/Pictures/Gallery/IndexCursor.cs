using System.Buffers.Binary;
using System.Text;

namespace XComposer2.Native.Composition.Pictures;

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
