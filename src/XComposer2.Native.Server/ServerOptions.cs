namespace XComposer2.Native.Server;

/// <summary>Settings of a server. The defaults serve this machine alone.</summary>
public sealed record ServerOptions
{
    /// <summary>Address to listen on: an IP address or "localhost". Everybody who reaches it can use the model, unless <see cref="ApiKeys"/> are set.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>TCP port; 0 for any free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Keys that clients send as bearer token or in x-api-key; none for no authentication.</summary>
    public IReadOnlyList<string> ApiKeys { get; init; } = [];

    /// <summary>PEM file of the TLS certificate; null for plain HTTP.</summary>
    public string? CertificatePath { get; init; }

    /// <summary>PEM file of the private key; null if it is in the file of the certificate.</summary>
    public string? CertificateKeyPath { get; init; }

    /// <summary>Name of the model in responses; null for that of the checkpoint.</summary>
    public string? ModelName { get; init; }

    /// <summary>Answers that may wait while the engine is busy; further ones are refused with status 429.</summary>
    public int QueueLength { get; init; } = 32;

    /// <summary>Maximum duration of a request, including waiting.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>After so long without a request the memory of the model is released; the next request loads it again. Null for never.</summary>
    public TimeSpan? SleepAfter { get; init; }

    /// <summary>Interval of comments in a stream without data, so that proxies keep the connection.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Maximum size of a request body in bytes.</summary>
    public long MaxBodyBytes { get; init; } = 32L << 20;

    /// <summary>Maximum number of answers of one request (n).</summary>
    public int MaxAnswers { get; init; } = 16;

    /// <summary>Maximum number of pictures of a request.</summary>
    public int MaxPictures { get; init; } = 16;

    /// <summary>Maximum number of pixels of a picture.</summary>
    public long MaxPicturePixels { get; init; } = 64L << 20;

    /// <summary>Hosts that pictures may be loaded from over https, each with a port if it is not 443; none by default. Their addresses must be global.</summary>
    public IReadOnlyList<string> PictureHosts { get; init; } = [];

    /// <summary>Maximum duration of a picture's download.</summary>
    public TimeSpan PictureTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Folder whose pictures <c>file://</c> addresses may name; null for none.</summary>
    public string? PictureFolder { get; init; }

    /// <summary>Folder that keeps articles, a folder each, made when the first one is written; null for none: nothing is composed then. Every client sees all of them.</summary>
    public string? ArticlesFolder { get; init; }

    /// <summary>Folder of pictures that are searched for articles; null for none. It is indexed by the model once it is loaded.</summary>
    public string? Gallery { get; init; }

    /// <summary>A service that is searched instead, and gets the captions of articles; null for none.</summary>
    public Uri? PictureService { get; init; }

    /// <summary>Hosts that <see cref="PictureService"/> and its pictures may be on.</summary>
    public IReadOnlyList<string> PictureServiceHosts { get; init; } = [];

    /// <summary>How lines of the log are written to standard error.</summary>
    public LogStyle Log { get; init; } = LogStyle.Text;

    /// <summary>Log prompts and answers. Off by default: they belong to the clients.</summary>
    public bool LogsPrompts { get; init; }
}

/// <summary>How lines of a server's log are written.</summary>
public enum LogStyle
{
    /// <summary>No log.</summary>
    None,

    /// <summary>One line of text each.</summary>
    Text,

    /// <summary>One JSON object each.</summary>
    Json,
}
