using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>HTTP client restricted to allowed hosts, independent of name resolution and redirects, with a response size limit.</summary>
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
        // Callers apply their own timeouts.
        client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Posts JSON. Only redirects that keep method and content (307, 308) are followed.</summary>
    /// <exception cref="HttpRequestException">No response, or an HTTP error.</exception>
    /// <exception cref="InvalidDataException">The address is not allowed, or the response exceeds the limit.</exception>
    public Task<byte[]> PostAsync(Uri address, byte[] json, long maxBytes, CancellationToken cancellation) => SendAsync(address, json, maxBytes, cancellation);

    /// <summary>Downloads a resource.</summary>
    /// <inheritdoc cref="PostAsync"/>
    public Task<byte[]> GetAsync(Uri address, long maxBytes, CancellationToken cancellation) => SendAsync(address, null, maxBytes, cancellation);

    public void Dispose() => client.Dispose();

    private async Task<byte[]> SendAsync(Uri address, byte[]? json, long maxBytes, CancellationToken cancellation)
    {
        for (int redirects = 0; ; redirects++)
        {
            if (hosts.Refusal(address) is { } refusal)
                throw new InvalidDataException(redirects == 0 ? refusal : $"redirect: {refusal}");
            using HttpRequestMessage request = new(json is null ? HttpMethod.Get : HttpMethod.Post, address);
            if (json is not null)
                request.Content = new ByteArrayContent(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            if (!IsRedirect(response.StatusCode, json is null))
                return await ReadAsync(response, maxBytes, cancellation).ConfigureAwait(false);
            if (redirects == maxRedirects)
                throw new InvalidDataException($"more than {maxRedirects} redirects");
            if (response.Headers.Location is not { } location || !Uri.TryCreate(address, location, out Uri? next))
                throw new InvalidDataException("redirect without a location");
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
            throw new InvalidDataException($"the response status is {(int)response.StatusCode}");
        if (response.Content.Headers.ContentEncoding.Count > 0)
            throw new InvalidDataException("the response is compressed, which was not requested");
        if (response.Content.Headers.ContentLength > maxBytes)
            throw new InvalidDataException($"the response has {response.Content.Headers.ContentLength} bytes, the limit is {maxBytes}");
        using Stream stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        using MemoryStream whole = new();
        byte[] buffer = new byte[ReadBytes];
        // The declared length is not trusted for the allocation.
        for (int read; (read = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;)
        {
            whole.Write(buffer, 0, read);
            if (whole.Length > maxBytes)
                throw new InvalidDataException($"the response exceeds the limit of {maxBytes} bytes");
        }

        return whole.ToArray();
    }

    // Connects to the address that was checked: the name is not resolved a second time.
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        DnsEndPoint wanted = context.DnsEndPoint;
        IPAddress[] addresses = IPAddress.TryParse(wanted.Host, out IPAddress? literal) ? [literal] : await Dns.GetHostAddressesAsync(wanted.Host, cancellation).ConfigureAwait(false);
        bool isPlain = context.InitialRequestMessage.RequestUri!.Scheme == "http";
        IPAddress[] allowed = [.. addresses.Where(address => isPlain ? IPAddress.IsLoopback(address) && allowPrivate : allowPrivate || PublicAddress.Is(address))];
        if (allowed.Length == 0)
            throw new InvalidDataException($"{wanted.Host} resolves to {(addresses.Length == 0 ? "no address" : "a private address, which is not allowed")}");
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

/// <summary>The list of allowed hosts.</summary>
internal sealed class AllowedHosts
{
    private readonly HashSet<(string Host, int Port)> hosts = [];
    private readonly bool isAny;

    private AllowedHosts() => isAny = true;

    /// <param name="entries">Host names or addresses, each with a port if it differs from the scheme's default.</param>
    /// <exception cref="ImageSourceException">An entry is not a host.</exception>
    public AllowedHosts(IReadOnlyList<string> entries)
    {
        foreach (string entry in entries)
        {
            // A scheme without a default port distinguishes an explicit port from none.
            bool isHost = Uri.TryCreate($"host://{entry}", UriKind.Absolute, out Uri? parsed) && Uri.CheckHostName(parsed.IdnHost) != UriHostNameType.Unknown
                && parsed.UserInfo.Length == 0 && parsed.PathAndQuery is "/" or "" && parsed.Fragment.Length == 0 && !entry.EndsWith('/');
            if (!isHost)
                throw new ImageSourceException($"{CaptionText.Clean(entry)}: expected a host name, with a port if necessary, such as images.example.org or 127.0.0.1:8080");
            hosts.Add((parsed!.IdnHost.ToLowerInvariant(), parsed.Port));
        }
    }

    /// <summary>Any host, for an address that the user gave, and for its redirects.</summary>
    public static AllowedHosts Any { get; } = new();

    /// <summary>The reason why an address is not allowed; null if it is.</summary>
    public string? Refusal(Uri address)
    {
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
            return "expected https";
        if (address.Scheme == "http" && !address.IsLoopback)
            return "expected https; http is allowed for this machine only";
        if (address.UserInfo.Length > 0)
            return "user names and passwords in addresses are not allowed";
        string host = address.IdnHost.ToLowerInvariant();
        bool isAllowed = isAny || hosts.Contains((host, address.Port)) || (address.IsDefaultPort && hosts.Contains((host, -1)));
        return isAllowed ? null : $"{CaptionText.Clean(address.Authority)} is not on the list of allowed hosts";
    }
}

/// <summary>Distinguishes internet addresses from local, private and special-purpose ones (IANA registries).</summary>
internal static class PublicAddress
{
    private static readonly IPNetwork[] reserved =
    [
        .. ((string[])["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
            "::/96", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/9", "ff00::/8"]).Select(text => IPNetwork.Parse(text)),
    ];

    private static readonly IPNetwork translated = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork translatedLocally = IPNetwork.Parse("64:ff9b:1::/48");
    private static readonly IPNetwork sixToFour = IPNetwork.Parse("2002::/16");

    public static bool Is(IPAddress address)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (reserved.Any(network => network.Contains(plain)) || translatedLocally.Contains(plain))
            return false;
        if (plain.AddressFamily != AddressFamily.InterNetworkV6)
            return true;
        // A gateway would forward these to the embedded IPv4 address.
        ReadOnlySpan<byte> bytes = plain.GetAddressBytes();
        if (translated.Contains(plain))
            return Is(new IPAddress(bytes[12..]));
        return !sixToFour.Contains(plain) || Is(new IPAddress(bytes[2..6]));
    }
}
