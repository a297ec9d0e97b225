using XComposer2.Native.Model;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>Downloads one picture from an address that the user named: over https only, from public addresses only, to a size and within a time.</summary>
public static class PictureDownload
{
    /// <summary>Loads the file; what is in it, its decoding says.</summary>
    /// <param name="address">https://..., or http://... of this machine where private addresses are allowed.</param>
    /// <param name="options">Limits.</param>
    /// <param name="cancellationToken">Ends the download.</param>
    /// <exception cref="ImageSourceException">Not allowed, no answer, or over a limit; the message does not repeat the address.</exception>
    public static async Task<byte[]> FetchAsync(string address, PictureDownloadOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? parsed))
            throw new ImageSourceException("not an address");
        using GuardedHttp http = new(AllowedHosts.Any, options.AllowPrivateAddresses, options.MaxRedirects);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Timeout);
        try
        {
            return await http.GetAsync(parsed, options.MaxFileBytes, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ImageSourceException($"not loaded within {options.Timeout.TotalSeconds:0.#} s");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or InvalidDataException)
        {
            // What the guard says is inside of what the client makes of it.
            Exception cause = error is HttpRequestException { InnerException: InvalidDataException refused } ? refused : error;
            throw new ImageSourceException(CaptionText.Clean(cause.Message), error);
        }
    }
}

/// <summary>What a download may take.</summary>
public sealed record PictureDownloadOptions
{
    /// <summary>Lets the address lead to this machine or a private network.</summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>Largest file.</summary>
    public long MaxFileBytes { get; init; } = 64L << 20;

    /// <summary>From the first connection to the last byte.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Redirects, each to any public host over https.</summary>
    public int MaxRedirects { get; init; } = 5;
}
