using System.Net;
using System.Reflection;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace XComposer2.Native.Server;

/// <summary>An HTTP server for one model, with OpenAI's API. It listens while the model loads, and then says that it is not ready. Thread-safe.</summary>
public sealed class XComposerServer : IAsyncDisposable
{
    private const int MaximumConnections = 1024;

    private readonly WebApplication app;
    private readonly ServerState state;
    private readonly Lock disposal = new();
    private Task? disposed;

    private XComposerServer(WebApplication app, ServerState state, RequestPipeline pipeline)
    {
        Pipeline = pipeline;
        this.app = app;
        this.state = state;
    }

    /// <summary>Addresses that the server listens on, for example http://127.0.0.1:8080.</summary>
    public IReadOnlyList<string> Addresses => [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];

    internal static string Version => typeof(XComposerServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    internal ServerState State => state;

    /// <summary>What answers requests, for tests without sockets.</summary>
    internal RequestPipeline Pipeline { get; }

    /// <summary>Starts to listen.</summary>
    /// <param name="options">Address, keys and limits.</param>
    /// <param name="cancellationToken">Stops starting.</param>
    /// <returns>The server; dispose it to stop.</returns>
    /// <exception cref="EngineException">The address cannot be listened on, or an option is wrong.</exception>
    public static async Task<XComposerServer> StartAsync(ServerOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        Require(options);
        // Empty: neither files beside the program nor variables of the environment change what it does.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "xc2" });
        AddLogging(builder.Logging, options);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore();
        if (options.CertificatePath is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        X509Certificate2? certificate = CertificateOf(options);
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, options, certificate));
        WebApplication app = builder.Build();
        ServerState? state = null;
        try
        {
            state = new ServerState(options, app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("xc2"));
            var pipeline = new RequestPipeline(state, Routes(state));
            app.Run(pipeline.HandleAsync);
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
            return new XComposerServer(app, state, pipeline);
        }
        catch (Exception failure)
        {
            state?.Dispose();
            await app.DisposeAsync().ConfigureAwait(false);
            if (failure is IOException or System.Net.Sockets.SocketException or Composition.Pictures.ImageSourceException or System.Security.Cryptography.CryptographicException or UnauthorizedAccessException)
                throw new EngineException($"the server cannot start on {options.Host}:{options.Port}: {failure.Message}", failure);
            throw;
        }
    }

    /// <summary>Loads the model; requests are answered from then on.</summary>
    /// <param name="options">The model and its device. <see cref="EngineLimits.Sequences"/> is the number of answers that are generated together.</param>
    /// <param name="cancellationToken">Stops loading.</param>
    /// <returns>Facts about the model.</returns>
    /// <inheritdoc cref="XComposerEngine.LoadAsync"/>
    public async Task<EngineInfo> LoadAsync(EngineOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        LoadedEngine loaded = await state.Model.LoadAsync(options, cancellationToken).ConfigureAwait(false);
        state.Sources.Open(loaded.Engine, state.Model, state.Stopped);
        return loaded.Facts.Info;
    }

    /// <summary>Refuses further requests, with status 503 for health checks too, and waits for those under way.</summary>
    /// <param name="limit">How long they may take; then they end without a result.</param>
    /// <returns>Whether all of them were answered.</returns>
    public async Task<bool> DrainAsync(TimeSpan limit)
    {
        Task drained = state.DrainAsync();
        try
        {
            await drained.WaitAsync(limit).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            state.Stop();
            return false;
        }
    }

    /// <summary>Ends all requests, stops listening, and releases the model.</summary>
    public ValueTask DisposeAsync()
    {
        lock (disposal)
            return new ValueTask(disposed ??= ReleaseAsync());
    }

    private static void Require(ServerOptions options)
    {
        EngineException.ThrowUnless(options.Host == "localhost" || IPAddress.TryParse(options.Host, out _), "host", "an IP address or localhost", options.Host);
        EngineException.ThrowUnless(options.Port is >= 0 and <= 65535, "port", "0 to 65535", options.Port);
        EngineException.ThrowUnless(options.ApiKeys.All(key => !string.IsNullOrWhiteSpace(key)), "API keys", "keys that are not empty", "an empty one");
        EngineException.ThrowUnless(options.PictureFolder is null || Directory.Exists(options.PictureFolder), "picture folder", "an existing folder", options.PictureFolder);
        EngineException.ThrowUnless(options.Gallery is null || Directory.Exists(options.Gallery), "gallery", "an existing folder", options.Gallery);
        EngineException.ThrowUnless(options.Gallery is null || options.PictureService is null, "pictures of articles", "a gallery or a service", "both");
        EngineException.ThrowUnless(options.SleepAfter is null || options.SleepAfter > TimeSpan.Zero, "sleep after", "over 0", options.SleepAfter);
        EngineException.ThrowUnless(options.QueueLength >= 0, "queue length", "0 or more", options.QueueLength);
        EngineException.ThrowUnless(options.MaxBodyBytes is > 0 and <= 1 << 30, "body bytes", "1 to 2^30", options.MaxBodyBytes);
    }

    private static void AddLogging(ILoggingBuilder logging, ServerOptions options)
    {
        if (options.Log == LogStyle.None)
            return;
        logging.SetMinimumLevel(LogLevel.Warning).AddFilter("xc2", LogLevel.Information);
        logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        if (options.Log == LogStyle.Json)
            logging.AddJsonConsole(format => (format.UseUtcTimestamp, format.TimestampFormat) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ"));
        else
            logging.AddSimpleConsole(format => (format.SingleLine, format.UseUtcTimestamp, format.TimestampFormat) = (true, true, "yyyy-MM-dd HH:mm:ss "));
    }

    private static X509Certificate2? CertificateOf(ServerOptions options)
    {
        if (options.CertificatePath is not { } path)
            return null;
        try
        {
            return X509Certificate2.CreateFromPemFile(path, options.CertificateKeyPath);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new EngineException($"the server cannot start: {path}: no certificate with its key: {failure.Message}", failure);
        }
    }

    private static void Configure(KestrelServerOptions kestrel, ServerOptions options, X509Certificate2? certificate)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        kestrel.Limits.MaxConcurrentConnections = MaximumConnections;
        Action<ListenOptions> secure = _ => { };
        if (certificate is not null)
            secure = listen => listen.UseHttps(certificate);

        if (options.Host == "localhost" && options.Port != 0)
            kestrel.ListenLocalhost(options.Port, secure);
        else
            kestrel.Listen(options.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(options.Host), options.Port, secure);
    }

    internal static Route[] Routes(ServerState state) =>
    [
        new("POST", "/v1/chat/completions", new ChatEndpoint(state).HandleAsync),
        new("POST", CompletionEndpoint.Path, new CompletionEndpoint(state).HandleAsync),
        new("POST", "/v1/responses", new ResponsesEndpoint(state).HandleAsync),
        .. new MessagesEndpoint(state).Routes,
        .. new ComposeEndpoint(state).Routes,
        .. new ArticleEndpoints(state).Routes,
        .. new StatusEndpoints(state).Routes,
        .. new TokenEndpoints(state).Routes,
        .. new PageEndpoint().Routes,
    ];

    private async Task ReleaseAsync()
    {
        state.Stop();
        using (var hurry = new CancellationTokenSource(TimeSpan.FromSeconds(5)))
            await app.StopAsync(hurry.Token).ConfigureAwait(false);
        await app.DisposeAsync().ConfigureAwait(false);
        await state.Model.DisposeAsync().ConfigureAwait(false);
        state.Dispose();
    }

    /// <summary>Signals are for the program, which drains the server first.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
