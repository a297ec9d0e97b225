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

    public void Add(ReadOnlyMemory<byte> chunk)
    {
        if (!chunk.IsEmpty) _chunks.Add(chunk);
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
