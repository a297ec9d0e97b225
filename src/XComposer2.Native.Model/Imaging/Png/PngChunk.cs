using System.Buffers.Binary;

namespace XComposer2.Native.Model;

/// <summary>A PNG chunk.</summary>
/// <param name="Position">File position of the length field.</param>
/// <param name="Kind">Chunk type.</param>
/// <param name="Content">Content; shorter than stated if the file is truncated.</param>
/// <param name="Checksum">Stored checksum; null if truncated.</param>
internal readonly record struct PngChunk(int Position, ReadOnlyMemory<byte> Kind, ReadOnlyMemory<byte> Content, uint? Checksum)
{
    private const int SignatureBytes = 8;

    /// <summary>Whether the file ends within the chunk.</summary>
    public bool IsCutOff => Checksum is null;

    /// <summary>Ancillary chunks have a lower-case first letter.</summary>
    public bool IsAncillary => (Kind.Span[0] & 0x20) != 0;

    /// <summary>All chunks of a file; the last one may be truncated.</summary>
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

    /// <summary>Whether the checksum is correct.</summary>
    public bool IsSound(ReadOnlyMemory<byte> file) => Crc32.Of(file.Span.Slice(Position + 4, 4 + Content.Length)) == Checksum;
}
