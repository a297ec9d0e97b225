using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using XComposer2.Native.Composition.Pictures;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary>A picture as a request names it.</summary>
/// <param name="Source">A JSON string: a data URL, base64, a file:// or https:// address.</param>
/// <param name="Name">The field, for messages.</param>
internal readonly record struct PictureReference(JsonElement Source, string Name);

/// <summary>
/// Loads pictures of requests: data URLs and base64; files below one folder; addresses of allowed hosts, whose redirects are checked like themselves. Sizes are
/// checked before anything is decoded. Safe to use from several threads.
/// </summary>
internal sealed class PictureLoader : IDisposable
{
    private const int MaximumRedirects = 3, MaximumAddressLength = 8192;

    private readonly ServerOptions options;
    private readonly ImageLimits limits;
    private readonly GuardedHttp? http;
    private readonly string? folder;
    private readonly RecentInputs recent = new();

    /// <exception cref="ImageSourceException">An allowed host is no host.</exception>
    public PictureLoader(ServerOptions options)
    {
        this.options = options;
        limits = ImageLimits.Default with { MaxFileBytes = options.MaxBodyBytes };
        http = options.PictureHosts.Count == 0 ? null : new GuardedHttp(new AllowedHosts(options.PictureHosts), allowPrivate: false, MaximumRedirects);
        folder = options.PictureFolder is { } path ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) : null;
    }

    /// <exception cref="ApiException">There are too many, or one cannot be loaded or is too large.</exception>
    public async Task<IReadOnlyList<ImageInput>> LoadAsync(IReadOnlyList<PictureReference> references, CancellationToken cancellation)
    {
        if (references.Count > options.MaxPictures)
            throw ApiException.Invalid("messages", $"the request has {references.Count} pictures, the limit is {options.MaxPictures}", "too_many_images");
        var inputs = new ImageInput[references.Count];
        for (int index = 0; index < inputs.Length; index++)
            inputs[index] = recent.Of(await FileAsync(references[index], cancellation).ConfigureAwait(false), references[index].Name);
        return inputs;
    }

    /// <summary>Loads the file of one picture. Only its header is read.</summary>
    /// <exception cref="ApiException">It cannot be loaded or is too large.</exception>
    public async Task<byte[]> FileAsync(PictureReference reference, CancellationToken cancellation)
    {
        try
        {
            byte[] bytes = await BytesAsync(reference, cancellation).ConfigureAwait(false);
            ImageHeader header = ImageHeader.Read(bytes, reference.Name);
            return (UInt128)header.Width * (UInt128)header.Height <= (UInt128)options.MaxPicturePixels
                ? bytes
                : throw ApiException.Invalid(reference.Name, $"{reference.Name}: the picture is {header.Width} x {header.Height}, the limit is {options.MaxPicturePixels} pixels", "image_too_large");
        }
        catch (ImageException error)
        {
            throw ApiException.Invalid(reference.Name, error.Message, "invalid_image");
        }
    }

    public void Dispose() => http?.Dispose();

    private async Task<byte[]> BytesAsync(PictureReference reference, CancellationToken cancellation)
    {
        (JsonElement source, string name) = reference;
        if (source.ValueKind != JsonValueKind.String)
            throw ApiException.Unexpected(name, "a text", RequestFields.Show(source));
        ReadOnlyMemory<byte> raw = UnescapedBytes(source, name);
        if (StartsWith(raw.Span, "data:"u8))
            return OfDataUrl(raw.Span, name);
        if (StartsWith(raw.Span, "http:"u8) || StartsWith(raw.Span, "https:"u8))
            return await DownloadAsync(Address(raw.Span, name), name, cancellation).ConfigureAwait(false);
        return StartsWith(raw.Span, "file:"u8) ? OfFile(Address(raw.Span, name), name) : OfBase64(raw.Span, name);
    }

    // A picture of megabytes need not become a string first.
    private static ReadOnlyMemory<byte> UnescapedBytes(JsonElement source, string name)
    {
        ReadOnlySpan<byte> raw = JsonMarshal.GetRawUtf8Value(source)[1..^1];
        return raw.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(RequestFields.TextOf(source, name, int.MaxValue)) : raw.ToArray();
    }

    private static bool StartsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> scheme) => text.Length >= scheme.Length && Ascii.EqualsIgnoreCase(text[..scheme.Length], scheme);

    private static byte[] OfDataUrl(ReadOnlySpan<byte> url, string name)
    {
        int comma = url.IndexOf((byte)',');
        return comma > 0 && url[..comma].EndsWith(";base64"u8)
            ? OfBase64(url[(comma + 1)..], name)
            : throw ApiException.Invalid(name, $"{name}: expected data:image/...;base64,...", "invalid_image");
    }

    private static byte[] OfBase64(ReadOnlySpan<byte> text, string name)
    {
        byte[] bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return !text.IsEmpty && Base64.DecodeFromUtf8(text, bytes, out int used, out int written) == OperationStatus.Done && used == text.Length
            ? bytes[..written]
            : throw ApiException.Invalid(name, $"{name}: expected a data URL, base64, or an address; found text that is none of them", "invalid_image");
    }

    private static Uri Address(ReadOnlySpan<byte> text, string name) =>
        text.Length <= MaximumAddressLength && Uri.TryCreate(Encoding.UTF8.GetString(text), UriKind.Absolute, out Uri? address)
            ? address
            : throw ApiException.Invalid(name, $"{name}: not an address", "invalid_image");

    private async Task<byte[]> DownloadAsync(Uri address, string name, CancellationToken cancellation)
    {
        if (http is null)
            throw ApiException.Invalid(name, $"{name}: this server loads no pictures from addresses; send the picture as a data URL", "invalid_image");
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(options.PictureTimeout);
        try
        {
            return await http.GetAsync(address, options.MaxBodyBytes, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw ApiException.Invalid(name, $"{name}: not loaded within {options.PictureTimeout.TotalSeconds:0.#} s", "invalid_image");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or InvalidDataException)
        {
            // What a host inside of the network answers is not for the client: only refusals of this program are told.
            Exception cause = error is HttpRequestException { InnerException: InvalidDataException refused } ? refused : error;
            throw ApiException.Invalid(name, $"{name}: cannot be loaded: {(cause is InvalidDataException ? cause.Message : "no response")}", "invalid_image");
        }
    }

    private byte[] OfFile(Uri address, string name)
    {
        if (folder is null)
            throw ApiException.Invalid(name, $"{name}: this server reads no files; send the picture as a data URL", "invalid_image");
        bool isPath = address.Host.Length == 0 && !address.LocalPath.Contains('\0', StringComparison.Ordinal);
        string path = isPath ? Path.GetFullPath(address.LocalPath) : "";
        if (!path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw ApiException.Invalid(name, $"{name}: the file is not below the folder that this server reads", "invalid_image");
        // A link could lead out of the folder.
        for (string part = path; part.Length > folder.Length; part = Path.GetDirectoryName(part)!)
            if (new FileInfo(part).LinkTarget is not null)
                throw ApiException.Invalid(name, $"{name}: links are not followed", "invalid_image");
        if (!File.Exists(path))
            throw ApiException.Invalid(name, $"{name}: no such file", "invalid_image");
        try
        {
            return ImageFile.Read(path, limits);
        }
        catch (ImageException)
        {
            throw ApiException.Invalid(name, $"{name}: the file cannot be read, or is too large", "invalid_image");
        }
    }
}
