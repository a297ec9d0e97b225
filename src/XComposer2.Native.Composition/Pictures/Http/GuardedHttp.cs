using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>Requests that go to allowed hosts only, whatever names resolve to and wherever answers redirect, and whose answers have a limit.</summary>
internal sealed class GuardedHttp : IDisposable
{
    private const int HeaderKilobytes = 32;
    private const int ReadBytes = 64 << 10;

    private readonly AllowedHosts hosts;
    private readonly bool allowPrivate;
    private readonly int maxRedirects;
    private readonly HttpClient client;

    public GuardedHttp(AllowedHosts hosts, bool allowPrivate, int maxRedirects)
    {
        this.hosts = hosts;
        this.allowPrivate = allowPrivate;
        this.maxRedirects = maxRedirects;
        SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = HeaderKilobytes,
            MaxConnectionsPerServer = 4,
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            ConnectCallback = ConnectAsync,
        };
        // Limits of time are the callers'.
        client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Sends JSON. Only redirects that keep method and content (307, 308) are followed.</summary>
    /// <exception cref="HttpRequestException">No answer, or one that says so.</exception>
    /// <exception cref="InvalidDataException">Not allowed, or over the limit.</exception>
    public Task<byte[]> PostAsync(Uri address, byte[] json, long maxBytes, CancellationToken cancellation) => SendAsync(address, json, maxBytes, cancellation);

    /// <summary>Loads what is at an address.</summary>
    /// <inheritdoc cref="PostAsync"/>
    public Task<byte[]> GetAsync(Uri address, long maxBytes, CancellationToken cancellation) => SendAsync(address, null, maxBytes, cancellation);

    public void Dispose() => client.Dispose();

    private async Task<byte[]> SendAsync(Uri address, byte[]? json, long maxBytes, CancellationToken cancellation)
    {
        for (int redirects = 0; ; redirects++)
        {
            if (hosts.Refusal(address) is { } refusal)
                throw new InvalidDataException(redirects == 0 ? refusal : $"a redirect: {refusal}");
            using HttpRequestMessage request = new(json is null ? HttpMethod.Get : HttpMethod.Post, address);
            if (json is not null)
                request.Content = new ByteArrayContent(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            if (!IsRedirect(response.StatusCode, json is null))
                return await ReadAsync(response, maxBytes, cancellation).ConfigureAwait(false);
            if (redirects == maxRedirects)
                throw new InvalidDataException($"more than {maxRedirects} redirects");
            if (response.Headers.Location is not { } location || !Uri.TryCreate(address, location, out Uri? next))
                throw new InvalidDataException("a redirect to nowhere");
            address = next;
        }
    }

    private static bool IsRedirect(HttpStatusCode status, bool isGet) => status switch
    {
        HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect => true,
        HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther => isGet,
        _ => false,
    };

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, long maxBytes, CancellationToken cancellation)
    {
        if (!response.IsSuccessStatusCode)
            throw new InvalidDataException($"the answer is {(int)response.StatusCode}");
        if (response.Content.Headers.ContentEncoding.Count > 0)
            throw new InvalidDataException("the answer is compressed, which was not asked for");
        if (response.Content.Headers.ContentLength > maxBytes)
            throw new InvalidDataException($"the answer has {response.Content.Headers.ContentLength} bytes, the limit is {maxBytes}");
        using Stream stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        using MemoryStream whole = new();
        byte[] buffer = new byte[ReadBytes];
        // The length that was stated is not what comes, and is not allocated.
        for (int read; (read = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;)
        {
            whole.Write(buffer, 0, read);
            if (whole.Length > maxBytes)
                throw new InvalidDataException($"the answer has more than {maxBytes} bytes, the limit");
        }

        return whole.ToArray();
    }

    // The address that was checked is the one that is connected to: a name cannot resolve to another one in between.
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        DnsEndPoint wanted = context.DnsEndPoint;
        IPAddress[] addresses = IPAddress.TryParse(wanted.Host, out IPAddress? literal) ? [literal] : await Dns.GetHostAddressesAsync(wanted.Host, cancellation).ConfigureAwait(false);
        bool isPlain = context.InitialRequestMessage.RequestUri!.Scheme == "http";
        IPAddress[] allowed = [.. addresses.Where(address => isPlain ? IPAddress.IsLoopback(address) && allowPrivate : allowPrivate || PublicAddress.Is(address))];
        if (allowed.Length == 0)
            throw new InvalidDataException($"{wanted.Host} leads to {(addresses.Length == 0 ? "nowhere" : "a private address, which is not allowed")}");
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, wanted.Port, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
