namespace XComposer2.Native.Composition.Pictures;

/// <summary>The hosts that may be connected to.</summary>
internal sealed class AllowedHosts
{
    private readonly HashSet<(string Host, int Port)> hosts = [];

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
        bool isAllowed = hosts.Contains((host, address.Port)) || (address.IsDefaultPort && hosts.Contains((host, -1)));
        return isAllowed ? null : $"{CaptionText.Clean(address.Authority)} is not on the list of allowed hosts";
    }
}
