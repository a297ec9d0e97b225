using System.Globalization;
using System.Text;
using System.Text.Json;
using XComposer2.Native.Model;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>
/// A service that finds pictures by a caption, asked as the original program asked its own: a POST of {caption, exclude, need_idxs}, answered by
/// {image_urls, indices}, bare or under "data". The caption's first 53 characters and the ids of pictures that were used leave the machine, nothing
/// else. Hosts that are not on the list are never connected to; no proxy is used, because it would connect in our place.
/// </summary>
public sealed class HttpImageSource : IImageSource, IDisposable
{
    private const int CaptionCharacters = 53;
    private const int TriesPerPicture = 4;
    private const int LongestName = 80;

    private readonly HttpImageSourceOptions options;
    private readonly GuardedHttp http;
    private readonly SemaphoreSlim decoding = new(1, 1);

    /// <summary>Nothing is sent before the first search.</summary>
    /// <exception cref="ImageSourceException">A host of the list is no host's name, or the endpoint is not allowed.</exception>
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
    /// <remarks>A picture that cannot be loaded or decoded is skipped with a note.</remarks>
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
            throw new ImageSourceException($"{options.Endpoint}: no answer within {options.Timeout.TotalSeconds:0.#} s");
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
            // What the file is, only its decoding says: neither its name nor the type that the service claims.
            await DecodeAsync(bytes, name, limited).ConfigureAwait(false);
            return new ImageCandidate(image.Id, name, null, bytes);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or InvalidDataException or ImageException or OperationCanceledException)
        {
            string reason = error is OperationCanceledException ? "not loaded in time" : error.Message;
            options.Note?.Invoke(CaptionText.Clean($"picture {image.Id} ({name}): {reason}"));
            return null;
        }
    }

    /// <summary>One at a time, so that their memory does not add up; and a decoding that outlasts the search is left behind.</summary>
    private async Task DecodeAsync(byte[] bytes, string name, CancellationToken limited)
    {
        await decoding.WaitAsync(limited).ConfigureAwait(false);
        Task decoded = Task.Run(
            () =>
            {
                try
                {
                    _ = ImageDecoder.Decode(bytes, name, options.Limits);
                }
                finally
                {
                    decoding.Release();
                }
            },
            CancellationToken.None);
        await decoded.WaitAsync(limited).ConfigureAwait(false);
    }

    // Characters as the original counts them: code points, not halves of a pair.
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

/// <summary>Which service finds pictures, and what it may do.</summary>
public sealed record HttpImageSourceOptions
{
    /// <summary>Where questions go; https, or http on this machine.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>The only hosts that are connected to, for questions, pictures and redirects alike: exact names, without wildcards, each with the port
    /// where it is not the scheme's own ("images.example.org", "127.0.0.1:8080"). The endpoint's must be among them.</summary>
    public required IReadOnlyList<string> AllowedHosts { get; init; }

    /// <summary>Lets a name on the list lead to this machine or a private network.</summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>Longest answer with addresses of pictures.</summary>
    public int MaxReplyBytes { get; init; } = 1 << 20;

    /// <summary>What a picture may ask for; larger ones are skipped with a note.</summary>
    public ImageLimits Limits { get; init; } = ImageLimits.Default with { MaxFileBytes = 16L << 20 };

    /// <summary>Longest search, its downloads included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Redirects of one request.</summary>
    public int MaxRedirects { get; init; } = 3;

    /// <summary>Told, in a sentence that is safe to show, of each picture that was skipped; may be called from several threads.</summary>
    public Action<string>? Note { get; init; }
}
