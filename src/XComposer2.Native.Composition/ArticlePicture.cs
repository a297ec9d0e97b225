using System.Security.Cryptography;
using System.Text.RegularExpressions;
using XComposer2.Native.Composition.Pictures;
using XComposer2.Native.Model;

namespace XComposer2.Native.Composition;

/// <summary>A picture of an article, as the encoded file that it was. Immutable; two with the same bytes are stored once.</summary>
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

    /// <summary>Where it was found: the name of a source of pictures, or <see cref="OwnSource"/>.</summary>
    public string Source { get; }

    /// <summary>Its id in that source; for a user's own picture <see cref="FileName"/>.</summary>
    public string Id { get; }

    /// <summary>A file's name without its folders, for messages.</summary>
    public string Name { get; }

    /// <summary>What the source knows of it in words; null where nothing is.</summary>
    public string? Caption { get; }

    /// <summary>The encoded file; not to be changed.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Of its bytes, whatever its name says: image/png, image/jpeg, image/gif or image/bmp.</summary>
    public string MediaType { get; }

    /// <summary>The name under which an article's folder keeps it, made of its bytes: 32 hexadecimal digits and an extension.</summary>
    public string FileName { get; }

    /// <summary><see cref="Source"/> of a user's own picture.</summary>
    public static string OwnSource => "own";

    /// <summary>A picture that a source found.</summary>
    /// <exception cref="ImageException">It is damaged, too large, or no picture.</exception>
    public static ArticlePicture Of(ImageCandidate found, string source)
    {
        ArgumentNullException.ThrowIfNull(found);
        return Of(source, found.Id, found.Name, found.Caption, found.Bytes);
    }

    /// <summary>A picture of the user's.</summary>
    /// <param name="name">A name or path for messages; the picture keeps no folders of it.</param>
    /// <param name="bytes">The encoded file; not copied.</param>
    /// <exception cref="ImageException">It is damaged, too large, or no picture.</exception>
    public static ArticlePicture Own(string name, ReadOnlyMemory<byte> bytes) => Of(OwnSource, null, name, null, bytes);

    /// <summary>A picture that an article's folder kept. Only its header is looked at.</summary>
    /// <exception cref="ImageException">It is no picture.</exception>
    internal static ArticlePicture Restore(string source, string id, string name, string? caption, ReadOnlyMemory<byte> bytes) =>
        new(source, id, name, caption, bytes, ImageHeader.Read(bytes.Span, name).Format);

    /// <summary>The same file under another name.</summary>
    internal static ArticlePicture Restore(string source, string id, string name, string? caption, ArticlePicture same) => new(source, id, name, caption, same);

    /// <summary>Decodes the picture once, so that no later step finds it damaged.</summary>
    private static ArticlePicture Of(string source, string? id, string name, string? caption, ReadOnlyMemory<byte> bytes)
    {
        _ = ImageDecoder.Decode(bytes, name, ImageLimits.Default);
        return new ArticlePicture(source, id, Path.GetFileName(name), caption, bytes, ImageHeader.Read(bytes.Span, name).Format);
    }
}

/// <summary>Names of the form that <see cref="ArticlePicture.FileName"/> has: nothing else in an article's folder of pictures is ours.</summary>
internal static partial class PictureFileName
{
    public static bool IsOne(string name) => Pattern().IsMatch(name);

    [GeneratedRegex(@"\A[0-9a-f]{32}\.(png|jpg|gif|bmp)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
