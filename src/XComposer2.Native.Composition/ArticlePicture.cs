using System.Security.Cryptography;
using System.Text.RegularExpressions;
using XComposer2.Native.Composition.Pictures;
using XComposer2.Native.Model;

namespace XComposer2.Native.Composition;

/// <summary>A picture of an article as an encoded file, prepared by <see cref="PictureOptions"/>. Immutable; pictures with the same bytes are stored once.</summary>
public sealed class ArticlePicture
{
    private const int HashDigits = 32;

    private ArticlePicture(string source, string? id, string name, string? caption, ReadOnlyMemory<byte> bytes, ImageFormat format)
    {
        Source = source;
        Name = name;
        Caption = caption;
        Bytes = bytes;
        (MediaType, string extension) = format switch
        {
            ImageFormat.Png => ("image/png", "png"),
            ImageFormat.Jpeg => ("image/jpeg", "jpg"),
            ImageFormat.Gif => ("image/gif", "gif"),
            ImageFormat.WebP => ("image/webp", "webp"),
            _ => ("image/bmp", "bmp"),
        };
        FileName = $"{Convert.ToHexStringLower(SHA256.HashData(bytes.Span))[..HashDigits]}.{extension}";
        Id = id ?? FileName;
    }

    private ArticlePicture(string source, string id, string name, string? caption, ArticlePicture same)
    {
        (Source, Id, Name, Caption) = (source, id, name, caption);
        (Bytes, MediaType, FileName) = (same.Bytes, same.MediaType, same.FileName);
    }

    /// <summary>The name of its picture source, or <see cref="OwnSource"/>.</summary>
    public string Source { get; }

    /// <summary>Its ID in that source; for a user's own picture <see cref="FileName"/>.</summary>
    public string Id { get; }

    /// <summary>File name without folders, for messages.</summary>
    public string Name { get; }

    /// <summary>The source's description; null if there is none.</summary>
    public string? Caption { get; }

    /// <summary>The encoded file; must not be changed.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Detected from the bytes, not from the name: image/png, image/jpeg, image/webp, image/gif or image/bmp.</summary>
    public string MediaType { get; }

    /// <summary>File name in the article's folder, derived from the bytes: 32 hexadecimal digits and an extension.</summary>
    public string FileName { get; }

    /// <summary><see cref="Source"/> of a user's own picture.</summary>
    public static string OwnSource => "own";

    /// <summary>Creates a picture found in a source.</summary>
    /// <param name="found">The picture.</param>
    /// <param name="source">Name of its source.</param>
    /// <param name="options">How it is stored; null for the defaults.</param>
    /// <exception cref="ImageException">The file is damaged, too large or not a picture.</exception>
    public static ArticlePicture Of(ImageCandidate found, string source, PictureOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(found);
        return Of(source, found.Id, found.Name, found.Caption, found.Bytes, ExifOrientation.Apply, options);
    }

    /// <summary>Creates a user's own picture.</summary>
    /// <param name="name">Name or path for messages; the picture keeps only the file name.</param>
    /// <param name="bytes">The encoded file; not copied.</param>
    /// <param name="orientation">Whether the EXIF orientation is applied.</param>
    /// <param name="options">How it is stored; null for the defaults.</param>
    /// <exception cref="ImageException">The file is damaged, too large or not a picture.</exception>
    public static ArticlePicture Own(string name, ReadOnlyMemory<byte> bytes, ExifOrientation orientation = ExifOrientation.Apply, PictureOptions? options = null) =>
        Of(OwnSource, null, name, null, bytes, orientation, options);

    /// <summary>The picture as the options store it; itself if it fulfils them. From a damaged picture only metadata is removed.</summary>
    internal ArticlePicture Prepared(PictureOptions options)
    {
        if (PicturePreparation.IsPrepared(this, options))
            return this;
        string? id = Source == OwnSource ? null : Id;
        try
        {
            return Of(Source, id, Name, Caption, Bytes, ExifOrientation.Apply, options);
        }
        catch (ImageException)
        {
            ImageFormat format = ImageHeader.Read(Bytes, Name).Format;
            return ImageMetadata.Remove(Bytes, format) is { } stripped ? new ArticlePicture(Source, id, Name, Caption, stripped, format) : this;
        }
    }

    /// <summary>Restores a picture from an article's folder. Only its header is checked.</summary>
    /// <exception cref="ImageException">The file is not a picture.</exception>
    internal static ArticlePicture Restore(string source, string id, string name, string? caption, ReadOnlyMemory<byte> bytes) =>
        new(source, id, name, caption, bytes, ImageHeader.Read(bytes, name).Format);

    /// <summary>The same file under another name.</summary>
    internal static ArticlePicture Restore(string source, string id, string name, string? caption, ArticlePicture same) => new(source, id, name, caption, same);

    private static ArticlePicture Of(string source, string? id, string name, string? caption, ReadOnlyMemory<byte> bytes, ExifOrientation orientation, PictureOptions? options)
    {
        (ReadOnlyMemory<byte> stored, ImageFormat format) = PicturePreparation.Run(bytes, name, orientation, options ?? PictureOptions.Default);
        return new ArticlePicture(source, id, Path.GetFileName(name), caption, stored, format);
    }
}

/// <summary>The pattern of <see cref="ArticlePicture.FileName"/>: identifies this program's files in an article's picture folder.</summary>
internal static partial class PictureFileName
{
    public static bool IsOne(string name) => Pattern().IsMatch(name);

    [GeneratedRegex(@"\A[0-9a-f]{32}\.(png|jpg|webp|gif|bmp)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
