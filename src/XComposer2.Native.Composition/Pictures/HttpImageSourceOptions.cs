using XComposer2.Native.Model;

namespace XComposer2.Native.Composition.Pictures;

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
