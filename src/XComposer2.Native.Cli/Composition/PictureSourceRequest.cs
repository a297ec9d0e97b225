namespace XComposer2.Native.Cli;

/// <summary>Where pictures are searched for: a folder, a service, or nowhere.</summary>
/// <param name="Gallery">A folder; null for none.</param>
/// <param name="Service">Address of a service; null for none.</param>
/// <param name="AllowedHosts">The only hosts that are connected to.</param>
internal sealed record PictureSourceRequest(string? Gallery, string? Service, IReadOnlyList<string> AllowedHosts)
{
    public static PictureSourceRequest None { get; } = new(null, null, []);

    public bool IsNone => Gallery is null && Service is null;

    /// <exception cref="UsageException">The options do not go together.</exception>
    public void Require()
    {
        if (Gallery is not null && Service is not null)
            throw new UsageException("--gallery and --picture-service exclude each other");
        if (Service is not null && AllowedHosts.Count == 0)
            throw new UsageException("--picture-service needs --allow-host: captions of the article are sent to hosts that are named there, and to no others");
        if (Service is null && AllowedHosts.Count > 0)
            throw new UsageException("--allow-host belongs to --picture-service");
        if (Service is not null && !Uri.TryCreate(Service, UriKind.Absolute, out _))
            throw new UsageException($"--picture-service must be an address, not '{Service}'");
        if (Gallery is not null && !Directory.Exists(Gallery))
            throw new IOException($"{Gallery}: no such folder");
    }
}
