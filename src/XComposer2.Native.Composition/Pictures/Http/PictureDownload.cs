using XComposer2.Native.Model;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>Downloads a picture from a URL given by the user: https only, public addresses only, with limits of size and time.</summary>
public static class PictureDownload
{
    /// <summary>Downloads the file without decoding it.</summary>
    /// <param name="address">https://..., or http://... on this machine if private addresses are allowed.</param>
    /// <param name="options">Limits.</param>
    /// <param name="cancellationToken">Cancels the download.</param>
    /// <exception cref="ImageSourceException">The address is not allowed, unreachable, or a limit is exceeded. The message does not contain the address.</exception>
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
            // The client wraps the exception of the address check.
            Exception cause = error is HttpRequestException { InnerException: InvalidDataException refused } ? refused : error;
            throw new ImageSourceException(CaptionText.Clean(cause.Message), error);
        }
    }
}

/// <summary>Limits of a download.</summary>
public sealed record PictureDownloadOptions
{
    /// <summary>Allows addresses of this machine and of private networks.</summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>Maximum file size.</summary>
    public long MaxFileBytes { get; init; } = 64L << 20;

    /// <summary>Limit of the whole download.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Maximum number of redirects.</summary>
    public int MaxRedirects { get; init; } = 5;
}
