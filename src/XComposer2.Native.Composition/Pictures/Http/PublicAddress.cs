using System.Net;
using System.Net.Sockets;

namespace XComposer2.Native.Composition.Pictures;

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
