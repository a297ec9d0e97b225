using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>The IDAT chunks of a PNG, one behind the other.</summary>
internal sealed class PngDataStream : Stream
{
    private readonly List<ReadOnlyMemory<byte>> _chunks = [];
    private int _chunk;
    private int _offset;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public bool HasBytes => _chunks.Count > 0;

    public long TotalBytes { get; private set; }

    public void Add(ReadOnlyMemory<byte> chunk)
    {
        if (chunk.IsEmpty) return;
        _chunks.Add(chunk);
        TotalBytes += chunk.Length;
    }

    public override int Read(Span<byte> buffer)
    {
        if (_chunk == _chunks.Count) return 0;
        ReadOnlySpan<byte> rest = _chunks[_chunk].Span[_offset..];
        int count = Math.Min(rest.Length, buffer.Length);
        rest[..count].CopyTo(buffer);
        _offset += count;
        if (_offset == _chunks[_chunk].Length)
        {
            _chunk++;
            _offset = 0;
        }
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>The checksum that PNG puts behind each chunk (polynomial 0xEDB88320, bits reversed).</summary>
internal static class Crc32
{
    private static readonly uint[] Table = CreateTable();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint[] table = Table;
        uint crc = uint.MaxValue;
        foreach (byte value in bytes) crc = table[(crc ^ value) & 0xFF] ^ crc >> 8;
        return ~crc;
    }

    private static uint[] CreateTable()
    {
        uint[] table = new uint[256];
        for (uint index = 0; index < table.Length; index++)
        {
            uint value = index;
            for (int bit = 0; bit < 8; bit++) value = (value & 1) != 0 ? 0xEDB88320 ^ value >> 1 : value >> 1;
            table[index] = value;
        }
        return table;
    }
}
