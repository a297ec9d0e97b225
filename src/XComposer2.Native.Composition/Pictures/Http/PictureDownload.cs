using XComposer2.Native.Model;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>Downloads one picture from a user's address: over https only, from public addresses only, with limits of size and time.</summary>
public static class PictureDownload
{
    /// <summary>Downloads the file without decoding it.</summary>
    /// <param name="address">https://..., or http://... on this machine if private addresses are allowed.</param>
    /// <param name="options">Limits.</param>
    /// <param name="cancellationToken">Stops the download.</param>
    /// <exception cref="ImageSourceException">The address is not allowed, the server does not respond, or a limit is exceeded. The message does not contain the address.</exception>
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
            throw new ImageSourceException($"download timed out after {options.Timeout.TotalSeconds:0.#} s");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or InvalidDataException)
        {
            // The client wraps the guard's exception in its own.
            Exception cause = error is HttpRequestException { InnerException: InvalidDataException refused } ? refused : error;
            throw new ImageSourceException(CaptionText.Clean(cause.Message), error);
        }
    }
}

/// <summary>Limits of a download.</summary>
public sealed record PictureDownloadOptions
{
    /// <summary>Allows addresses that resolve to this machine or a private network.</summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>Maximum file size.</summary>
    public long MaxFileBytes { get; init; } = 64L << 20;

    /// <summary>Maximum time from the first connection to the last byte.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Maximum number of redirects, to any public host over https.</summary>
    public int MaxRedirects { get; init; } = 5;
}
