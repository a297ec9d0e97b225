namespace XComposer2.Native;

/// <summary>A picture as given by the user: encoded bytes (PNG, JPEG, BMP, GIF) and a name for messages.</summary>
public sealed class ImageInput
{
    private ImageInput(string name, ReadOnlyMemory<byte>? bytes)
    {
        Name = name;
        Bytes = bytes;
    }

    /// <summary>The path, or the name given with the bytes.</summary>
    public string Name { get; }

    internal ReadOnlyMemory<byte>? Bytes { get; }

    /// <summary>A file, read when the message is sent.</summary>
    public static ImageInput FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new ImageInput(path, null);
    }

    /// <summary>Encoded bytes; not copied, so they must not change until the message was sent.</summary>
    public static ImageInput FromBytes(ReadOnlyMemory<byte> bytes, string name) => new(name, bytes);
}
