using Microsoft.Extensions.Logging;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary>What all requests share. Safe to use from several threads.</summary>
/// <param name="options">Settings.</param>
/// <param name="log">Told what happens.</param>
internal sealed class ServerState(ServerOptions options, ILogger log) : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private volatile bool isDraining;

    public ServerOptions Options => options;

    public ILogger Log => log;

    public ServerMetrics Metrics { get; } = new();

    public Telemetry Telemetry { get; } = new();

    public PictureLoader Pictures { get; } = new(options);

    /// <summary>Null where articles are not kept.</summary>
    public ArticleStore? Articles { get; } = options.ArticlesFolder is { } folder ? new ArticleStore(folder) : null;

    /// <summary>Where pictures of articles are searched.</summary>
    public ArticleSources Sources { get; } = new(options, log);

    /// <summary>Seconds since 1970.</summary>
    public long Started { get; } = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>Ends all requests.</summary>
    public CancellationToken Stopped => stop.Token;

    public bool IsDraining => isDraining;

    /// <summary>Disposed by the server.</summary>
    public ModelHolder Model { get; } = new(options, log);

    /// <summary>Null while the model is loading, or sleeps.</summary>
    public LoadedEngine? Loaded => Model.Loaded;

    /// <exception cref="ApiException">The model is loading, or the server is shutting down.</exception>
    public LoadedEngine Ready => isDraining ? throw ShuttingDown : Loaded ?? throw Loading;

    /// <summary>Facts about the model, which may sleep.</summary>
    /// <exception cref="ApiException">The model is loading for the first time, or the server is shutting down.</exception>
    public ModelFacts Facts => isDraining ? throw ShuttingDown : Model.Facts ?? throw Loading;

    private static ApiException ShuttingDown => ApiException.NotReady("the server is shutting down");

    private static ApiException Loading => ApiException.NotReady("Loading model");

    /// <summary>Keeps the model awake for a request.</summary>
    /// <exception cref="ApiException">It cannot be loaded again, or the server is shutting down.</exception>
    public Task<IDisposable> UseModelAsync(CancellationToken cancellation) => isDraining ? throw ShuttingDown : Model.UseAsync(cancellation);

    /// <summary>Refuses further requests; completes when the last one has ended.</summary>
    public Task DrainAsync()
    {
        isDraining = true;
        return Model.Facts?.Gate.DrainAsync() ?? Task.CompletedTask;
    }

    public void Stop() => stop.Cancel();

    public void Dispose()
    {
        Pictures.Dispose();
        Sources.Dispose();
        Telemetry.Dispose();
        stop.Dispose();
    }
}

/// <summary>A loaded model, ready to answer.</summary>
/// <param name="Engine">Owned by the <see cref="ModelHolder"/>.</param>
/// <param name="Facts">About it.</param>
internal sealed record LoadedEngine(XComposerEngine Engine, ModelFacts Facts)
{
    public string Name => Facts.Name;

    /// <summary>Bounds the answers.</summary>
    public RequestGate Gate => Facts.Gate;

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
