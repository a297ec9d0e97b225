using Microsoft.Extensions.Logging;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary>What all requests share. Safe to use from several threads.</summary>
/// <param name="options">Settings.</param>
/// <param name="log">Told what happens.</param>
internal sealed class ServerState(ServerOptions options, ILogger log) : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private volatile LoadedEngine? loaded;
    private volatile bool isDraining;

    public ServerOptions Options => options;

    public ILogger Log => log;

    public ServerMetrics Metrics { get; } = new();

    public TelemetryMeter Telemetry { get; } = new();

    public PictureLoader Pictures { get; } = new(options);

    /// <summary>Seconds since 1970.</summary>
    public long Started { get; } = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>Ends all requests.</summary>
    public CancellationToken Stopped => stop.Token;

    public bool IsDraining => isDraining;

    /// <summary>Null while the model is loading.</summary>
    public LoadedEngine? Loaded => loaded;

    /// <exception cref="ApiException">The model is loading, or the server is shutting down.</exception>
    public LoadedEngine Ready => isDraining ? throw ApiException.NotReady("the server is shutting down") : loaded ?? throw ApiException.NotReady("Loading model");

    public void Serve(LoadedEngine engine) => loaded = engine;

    /// <summary>Refuses further requests; completes when the last one has ended.</summary>
    public Task DrainAsync()
    {
        isDraining = true;
        return loaded?.Gate.DrainAsync() ?? Task.CompletedTask;
    }

    public void Stop() => stop.Cancel();

    public void Dispose()
    {
        Pictures.Dispose();
        Telemetry.Dispose();
        stop.Dispose();
    }
}

/// <summary>A loaded model, ready to answer.</summary>
/// <param name="Engine">Owned by the server.</param>
/// <param name="Name">In responses.</param>
/// <param name="Sequences">Answers that are generated together.</param>
/// <param name="Gate">Bounds the answers.</param>
internal sealed record LoadedEngine(XComposerEngine Engine, string Name, int Sequences, RequestGate Gate)
{
    /// <summary>The model's own prompt style.</summary>
    public ChatTemplate Template { get; } = Engine.TemplateOf(null);

    public TextTokenizer Tokenizer => Engine.Tokenizer;

    /// <exception cref="ApiException">An option is out of range.</exception>
    public void Require(GenerationOptions options)
    {
        try
        {
            Engine.Answers.Require(options);
        }
        catch (EngineException error)
        {
            throw ApiException.Invalid(options.LogitBias is not null ? "logit_bias" : null, error.Message);
        }
    }

    /// <param name="request">May have "prompt_style".</param>
    /// <exception cref="ApiException">The prompt style is unknown.</exception>
    public ChatTemplate TemplateOf(RequestFields request)
    {
        if (request.Text("prompt_style", maximumLength: 20) is not { } style)
            return Template;
        try
        {
            return Engine.TemplateOf(style);
        }
        catch (PromptException error)
        {
            throw ApiException.Invalid("prompt_style", error.Message);
        }
    }
}
