using System.Globalization;
using System.Text;
using System.Text.Json;
using XComposer2.Native.Model;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>
/// A web service that finds pictures by caption, with the protocol of the original program: a POST of {caption, exclude, need_idxs}, answered with
/// {image_urls, indices}, bare or under "data". Only the first 53 characters of the caption and the IDs of used pictures are sent. Only allowed
/// hosts are contacted. Proxies are not used, because a proxy would bypass the address checks.
/// </summary>
public sealed class HttpImageSource : IImageSource, IDisposable
{
    private const int CaptionCharacters = 53;
    private const int TriesPerPicture = 4;
    private const int LongestName = 80;

    private readonly HttpImageSourceOptions options;
    private readonly GuardedHttp http;

    // One picture at a time is decoded: each may need hundreds of megabytes.
    private readonly SemaphoreSlim decoding = new(1);

    /// <summary>Sends nothing before the first search.</summary>
    /// <exception cref="ImageSourceException">An allowed host is not a host name, or the endpoint is not allowed.</exception>
    public HttpImageSource(HttpImageSourceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.options = options;
        AllowedHosts hosts = new(options.AllowedHosts);
        if (hosts.Refusal(options.Endpoint) is { } refusal)
            throw new ImageSourceException($"{options.Endpoint.OriginalString}: {refusal}");
        http = new GuardedHttp(hosts, options.AllowPrivateAddresses, options.MaxRedirects);
    }

    /// <inheritdoc/>
    /// <remarks>Pictures that cannot be downloaded or decoded are skipped with a note.</remarks>
    public async ValueTask<IReadOnlyList<ImageCandidate>> SearchAsync(ImageQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Count, 1, nameof(query));
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Timeout);
        Queue<SimilarImage> found = new(await AskAsync(query, limit.Token, cancellationToken).ConfigureAwait(false));
        List<ImageCandidate> candidates = [];
        int tries = checked(query.Count * TriesPerPicture);
        while (candidates.Count < query.Count && found.Count > 0 && tries > 0 && !limit.IsCancellationRequested)
        {
            List<Task<ImageCandidate?>> downloads = [];
            while (downloads.Count < query.Count - candidates.Count && found.TryDequeue(out SimilarImage? next) && tries-- > 0)
                downloads.Add(DownloadAsync(next, limit.Token));
            candidates.AddRange((await Task.WhenAll(downloads).ConfigureAwait(false)).OfType<ImageCandidate>());
        }

        cancellationToken.ThrowIfCancellationRequested();
        return candidates;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        http.Dispose();
        decoding.Dispose();
    }

    private async Task<List<SimilarImage>> AskAsync(ImageQuery query, CancellationToken limited, CancellationToken callers)
    {
        byte[] question = JsonSerializer.SerializeToUtf8Bytes(
            new SimilarImagesRequest(Beginning(query.Text.Trim()), [.. Numbers(query.ExcludedIds)], NeedIdxs: true), ImageSearchJson.Default.SimilarImagesRequest);
        try
        {
            byte[] reply = await http.PostAsync(options.Endpoint, question, options.MaxReplyBytes, limited).ConfigureAwait(false);
            return SimilarImagesReply.Read(reply, query.ExcludedIds);
        }
        catch (OperationCanceledException) when (!callers.IsCancellationRequested)
        {
            throw new ImageSourceException($"{options.Endpoint}: no response within {options.Timeout.TotalSeconds:0.#} s");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or InvalidDataException or JsonException)
        {
            throw new ImageSourceException($"{options.Endpoint}: {CaptionText.Clean(error.Message)}", error);
        }
    }

    private async Task<ImageCandidate?> DownloadAsync(SimilarImage image, CancellationToken limited)
    {
        string name = NameOf(image);
        try
        {
            byte[] bytes = await http.GetAsync(image.Address, options.Limits.MaxFileBytes, limited).ConfigureAwait(false);
            // Only decoding proves the file's type; its name and the declared media type do not.
            await CheckAsync(bytes, name, limited).ConfigureAwait(false);
            return new ImageCandidate(image.Id, name, null, bytes);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or InvalidDataException or ImageException or OperationCanceledException)
        {
            string reason = error is OperationCanceledException ? "download timed out" : error.Message;
            options.Note?.Invoke(CaptionText.Clean($"picture {image.Id} ({name}): {reason}"));
            return null;
        }
    }

    private async Task CheckAsync(byte[] bytes, string name, CancellationToken limited)
    {
        await decoding.WaitAsync(limited).ConfigureAwait(false);
        try
        {
            await Task.Run(() => ImageDecoder.Decode(bytes, name, options.Limits, cancellation: limited), limited).ConfigureAwait(false);
        }
        finally
        {
            decoding.Release();
        }
    }

    // The original counts code points, so surrogate pairs are not split.
    private static string Beginning(string text)
    {
        StringBuilder beginning = new();
        foreach (Rune rune in text.EnumerateRunes().Take(CaptionCharacters))
            beginning.Append(rune);
        return beginning.ToString();
    }

    private static IEnumerable<long> Numbers(IEnumerable<string> ids)
    {
        foreach (string id in ids.Order(StringComparer.Ordinal))
            if (long.TryParse(id, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number))
                yield return number;
    }

    private static string NameOf(SimilarImage image)
    {
        string name = CaptionText.Clean(Path.GetFileName(Uri.UnescapeDataString(image.Address.AbsolutePath)), LongestName);
        return name.Length > 0 ? name : $"picture {image.Id}";
    }
}

/// <summary>Address and limits of a picture service.</summary>
public sealed record HttpImageSourceOptions
{
    /// <summary>Endpoint of the service; https, or http on this machine.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>Allowed hosts for requests, pictures and redirects: exact names, no wildcards, each with its port if that is not the scheme's default
    /// ("images.example.org", "127.0.0.1:8080"). Must include the endpoint's host.</summary>
    public required IReadOnlyList<string> AllowedHosts { get; init; }

    /// <summary>Allows names that resolve to this machine or a private network.</summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>Maximum size of a reply with picture addresses.</summary>
    public int MaxReplyBytes { get; init; } = 1 << 20;

    /// <summary>Limits of a picture; larger ones are skipped with a note.</summary>
    public ImageLimits Limits { get; init; } = ImageLimits.Default with { MaxFileBytes = 16L << 20 };

    /// <summary>Maximum duration of a search including downloads.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Maximum number of redirects per request.</summary>
    public int MaxRedirects { get; init; } = 3;

    /// <summary>Receives a displayable sentence for each skipped picture; may be called from several threads.</summary>
    public Action<string>? Note { get; init; }
}
