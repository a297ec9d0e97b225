using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>A message of the user: text and pictures.</summary>
/// <param name="Text">May contain <c>&lt;ImageHere&gt;</c> once per picture; otherwise the pictures precede the text.</param>
/// <param name="Images">Pictures, in order.</param>
public sealed record UserMessage(string Text, IReadOnlyList<ImageInput> Images)
{
    /// <summary>A message without pictures.</summary>
    /// <param name="text">The text; not empty.</param>
    public UserMessage(string text)
        : this(text, [])
    {
    }

    /// <summary>Fixed beginning of the answer. The model continues it; <see cref="GenerationResult.Text"/> does not contain it.</summary>
    public string AnswerPrefix { get; init; } = "";
}

/// <summary>A picture: a file or encoded bytes (PNG, JPEG, WebP, GIF, BMP, TIFF), and a name for messages.</summary>
public sealed class ImageInput
{
    private ImageInput(string name, ReadOnlyMemory<byte>? bytes, ExifOrientation orientation)
    {
        Name = name;
        Bytes = bytes;
        Orientation = orientation;
    }

    /// <summary>The path, or the name given with the bytes.</summary>
    public string Name { get; }

    /// <summary>Whether the EXIF orientation is applied.</summary>
    public ExifOrientation Orientation { get; }

    internal ReadOnlyMemory<byte>? Bytes { get; }

    /// <summary>How it becomes the square that the model sees.</summary>
    internal SquareMode Square { get; private init; } = SquareMode.Squash;

    /// <summary>Of its pixels, once they were decoded; only for bytes, which do not change as a file may.</summary>
    internal ImageContentHash? KnownHash { get; set; }

    /// <summary>A picture file, read when the message is sent.</summary>
    /// <param name="path">Path of a regular file.</param>
    /// <param name="orientation">Whether the EXIF orientation is applied. The original ignores it, so pictures of rotated phones are not upright.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static ImageInput FromFile(string path, ExifOrientation orientation = ExifOrientation.Apply)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new ImageInput(path, null, orientation);
    }

    /// <summary>A picture in memory. Reuse the object to decode the picture only once.</summary>
    /// <param name="bytes">Encoded picture; not copied, so it must not change while in use.</param>
    /// <param name="name">Name for messages.</param>
    /// <param name="orientation">Whether the EXIF orientation is applied.</param>
    public static ImageInput FromBytes(ReadOnlyMemory<byte> bytes, string name, ExifOrientation orientation = ExifOrientation.Apply) => new(name, bytes, orientation);

    /// <summary>The same picture with black bars that make it square, as some evaluations show it.</summary>
    internal ImageInput PaddedToSquare() => new(Name, Bytes, Orientation) { Square = SquareMode.SquarePad };
}
