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

/// <summary>The hosts that may be connected to.</summary>
internal sealed class AllowedHosts
{
    private readonly HashSet<(string Host, int Port)> hosts = [];
    private readonly bool isAny;

    private AllowedHosts() => isAny = true;

    /// <param name="entries">A name or address each, with a port where it is not the scheme's own.</param>
    /// <exception cref="ImageSourceException">An entry is something else.</exception>
    public AllowedHosts(IReadOnlyList<string> entries)
    {
        foreach (string entry in entries)
        {
            // Of a scheme without a port of its own, so that one that was written is known from one that was not.
            bool isHost = Uri.TryCreate($"host://{entry}", UriKind.Absolute, out Uri? parsed) && Uri.CheckHostName(parsed.IdnHost) != UriHostNameType.Unknown
                && parsed.UserInfo.Length == 0 && parsed.PathAndQuery is "/" or "" && parsed.Fragment.Length == 0 && !entry.EndsWith('/');
            if (!isHost)
                throw new ImageSourceException($"{CaptionText.Clean(entry)}: a host's name was expected, with a port where it needs one, as in images.example.org or 127.0.0.1:8080");
            hosts.Add((parsed!.IdnHost.ToLowerInvariant(), parsed.Port));
        }
    }

    /// <summary>Every host: the user named the address, and redirects lead on from there.</summary>
    public static AllowedHosts Any { get; } = new();

    /// <summary>Why an address may not be connected to; null where it may.</summary>
    public string? Refusal(Uri address)
    {
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
            return "https was expected";
        if (address.Scheme == "http" && !address.IsLoopback)
            return "https was expected; http is for this machine alone";
        if (address.UserInfo.Length > 0)
            return "a name or password in an address is not sent";
        string host = address.IdnHost.ToLowerInvariant();
        bool isAllowed = isAny || hosts.Contains((host, address.Port)) || (address.IsDefaultPort && hosts.Contains((host, -1)));
        return isAllowed ? null : $"{CaptionText.Clean(address.Authority)} is not on the list of allowed hosts";
    }
}

/// <summary>Tells addresses of the internet from those of this machine, of private networks and of special purposes (IANA's registries).</summary>
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
        // A gateway would carry these to the address of version 4 that they contain.
        ReadOnlySpan<byte> bytes = plain.GetAddressBytes();
        if (translated.Contains(plain))
            return Is(new IPAddress(bytes[12..]));
        return !sixToFour.Contains(plain) || Is(new IPAddress(bytes[2..6]));
    }
}
