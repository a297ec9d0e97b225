using System.Buffers.Binary;

namespace XComposer2.Native.Model;

/// <summary>One chunk of a PNG.</summary>
/// <param name="Position">Of its length, in the file.</param>
/// <param name="Kind">Four letters.</param>
/// <param name="Content">What is there of it.</param>
/// <param name="Checksum">As stated; null where the file ends before.</param>
internal readonly record struct PngChunk(int Position, ReadOnlyMemory<byte> Kind, ReadOnlyMemory<byte> Content, uint? Checksum)
{
    private const int SignatureBytes = 8;

    /// <summary>The file ends within it.</summary>
    public bool IsCutOff => Checksum is null;

    /// <summary>A lower-case first letter marks what a reader may skip.</summary>
    public bool IsAncillary => (Kind.Span[0] & 0x20) != 0;

    /// <summary>All chunks of a file; the last one may be cut off.</summary>
    public static IEnumerable<PngChunk> Of(ReadOnlyMemory<byte> file)
    {
        for (int position = SignatureBytes; position + 8 <= file.Length;)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file.Span[position..]);
            int content = position + 8;
            bool isWhole = length <= file.Length - content - 4L;
            ReadOnlyMemory<byte> kind = file.Slice(position + 4, 4);
            if (!isWhole)
            {
                yield return new PngChunk(position, kind, file.Slice(content, (int)Math.Min(length, file.Length - content)), null);
                yield break;
            }
            int end = content + (int)length;
            yield return new PngChunk(position, kind, file.Slice(content, (int)length), BinaryPrimitives.ReadUInt32BigEndian(file.Span[end..]));
            position = end + 4;
        }
    }

    /// <summary>Whether kind and content have the stated checksum.</summary>
    public bool IsSound(ReadOnlyMemory<byte> file) => Crc32.Of(file.Span.Slice(Position + 4, 4 + Content.Length)) == Checksum;
}
