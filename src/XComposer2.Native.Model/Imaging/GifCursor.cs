namespace XComposer2.Native.Model;

/// <summary>Walks a GIF's bytes; a step over the end is an <see cref="ImageException"/>.</summary>
internal ref struct GifCursor(ReadOnlySpan<byte> bytes, int position, string name)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position = position;

    public byte TakeByte() => Take(1)[0];

    public ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _position) throw ImageException.For(name, $"GIF: the file is cut off at byte {_bytes.Length}");
        ReadOnlySpan<byte> taken = _bytes.Slice(_position, count);
        _position += count;
        return taken;
    }
}
