using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace XComposer2.Native.Model;

/// <summary>Reads the fields of one protobuf message in place. Lengths are checked against the available bytes; only texts are allocated.</summary>
/// <param name="path">File name for error messages.</param>
/// <param name="name">Message name for error messages; empty for the outermost message.</param>
/// <param name="index">Index among the messages of this name; negative for a single message.</param>
/// <param name="message">Bytes of the message.</param>
/// <param name="offsetBytes">Offset of the message in the file.</param>
internal ref struct ProtoReader(string path, string name, int index, ReadOnlySpan<byte> message, long offsetBytes)
{
    private readonly ReadOnlySpan<byte> message = message;
    private int position;
    private ProtoWire wire;
    private ulong number;
    private ReadOnlySpan<byte> content;

    /// <summary>Number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>Advances to the next field; false at the end of the message.</summary>
    /// <exception cref="CheckpointException">The bytes are not a protobuf message.</exception>
    public bool Next()
    {
        if (position == message.Length)
            return false;
        ulong tag = Varint();
        if (tag is < 8 or > int.MaxValue)
            throw Bad("a field number", $"the tag {tag}");
        Field = (int)(tag >> 3);
        wire = (ProtoWire)(tag & 7);
        switch (wire)
        {
            case ProtoWire.Varint:
                number = Varint();
                break;
            case ProtoWire.Fixed64:
                number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case ProtoWire.Bytes:
                content = Take(Varint());
                break;
            case ProtoWire.Fixed32:
                number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw Bad("a wire type of 0, 1, 2 or 5", $"{tag & 7}");
        }
        return true;
    }

    /// <summary>The nested message in the current field.</summary>
    public readonly ProtoReader Message(string field, int fieldIndex = -1)
    {
        Expect(ProtoWire.Bytes, field);
        return new ProtoReader(path, field, fieldIndex, content, offsetBytes + position - content.Length);
    }

    public readonly string Text(string field)
    {
        Expect(ProtoWire.Bytes, field);
        if (!Utf8.IsValid(content))
            throw Bad(field, "UTF-8", $"other bytes {Here}");
        return Encoding.UTF8.GetString(content);
    }

    public readonly int LengthBytes(string field)
    {
        Expect(ProtoWire.Bytes, field);
        return content.Length;
    }

    public readonly bool Flag(string field) => Integer(field) != 0;

    public readonly long Integer(string field)
    {
        Expect(ProtoWire.Varint, field);
        return (long)number;
    }

    public readonly float Single(string field)
    {
        Expect(ProtoWire.Fixed32, field);
        return BitConverter.UInt32BitsToSingle((uint)number);
    }

    /// <summary>An error in a field of this message.</summary>
    public readonly CheckpointException Bad(string field, string expected, string found) => new(path, name.Length == 0 ? field : $"{Name}.{field}", expected, found);

    // Names are built only for errors: a file has a hundred thousand pieces.
    private readonly string Name => index < 0 ? name : $"{name}[{index}]";

    private readonly string Here => $"at byte {offsetBytes + position}";

    private readonly void Expect(ProtoWire expected, string field)
    {
        if (wire != expected)
            throw Bad(field, $"the wire type {expected}", $"{wire} {Here}");
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Take(1)[0];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw Bad("a number of at most 10 bytes", "a longer one");
    }

    private ReadOnlySpan<byte> Take(ulong lengthBytes)
    {
        int left = message.Length - position;
        if (lengthBytes > (ulong)left)
            throw Bad($"{lengthBytes} more bytes", $"{left}");
        ReadOnlySpan<byte> taken = message.Slice(position, (int)lengthBytes);
        position += taken.Length;
        return taken;
    }

    private readonly CheckpointException Bad(string expected, string found) => new(path, $"{(name.Length == 0 ? "" : $"{Name}, ")}{Here[3..]}", expected, found);
}

/// <summary>Wire type of a protobuf field. Groups (3, 4) belong to an older format.</summary>
internal enum ProtoWire
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}
