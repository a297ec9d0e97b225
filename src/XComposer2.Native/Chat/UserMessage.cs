using System.Runtime.CompilerServices;
using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>One turn of the user.</summary>
/// <param name="Text">May say <c>&lt;ImageHere&gt;</c> once for each picture; otherwise the pictures stand before the text.</param>
/// <param name="Images">Pictures of this turn, in order.</param>
public sealed record UserMessage(string Text, IReadOnlyList<ImageInput> Images)
{
    /// <summary>Text without a picture.</summary>
    public UserMessage(string text)
        : this(text, [])
    {
    }

    /// <summary>What the answer begins with, already said: the model goes on from there, and <see cref="GenerationResult.Text"/> begins after it.</summary>
    public string AnswerPrefix { get; init; } = "";
}

/// <summary>A picture as given by the user: encoded bytes (PNG, JPEG, WebP, GIF, BMP, TIFF) and a name for messages.</summary>
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

    /// <summary>Of its pixels, once they were decoded; only for bytes, which do not change as a file may.</summary>
    internal StrongBox<ImageContentHash>? KnownHash { get; set; }

    /// <summary>A file, read when the message is sent.</summary>
    /// <param name="path">A regular file.</param>
    /// <param name="orientation">Whether the EXIF orientation is applied. The original ignores it, so pictures of rotated phones are not upright.</param>
    public static ImageInput FromFile(string path, ExifOrientation orientation = ExifOrientation.Apply)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new ImageInput(path, null, orientation);
    }

    /// <summary>Encoded bytes; not copied, so they must not change while this is used; whoever sends it again, has it decoded once.</summary>
    /// <inheritdoc cref="FromFile"/>
    public static ImageInput FromBytes(ReadOnlyMemory<byte> bytes, string name, ExifOrientation orientation = ExifOrientation.Apply) => new(name, bytes, orientation);
}
