using System.Diagnostics;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>A loaded model. Safe to use from several threads; answers of its sessions take turns.</summary>
public sealed class XComposerEngine : IDisposable
{
    private const long ImageCacheBytes = 256L << 20;

    private readonly LoadedModel model;
    private readonly List<ChatSession> sessions = [];
    private readonly Lock sessionsLock = new();
    private bool disposed;

    private XComposerEngine(LoadedModel model, TextTokenizer tokenizer, int contextLength, TimeSpan started)
    {
        this.model = model;
        Tokenizer = tokenizer;
        Runner = new ModelRunner(model.Config, model.Weights, model.Backend, contextLength);
        Images = new ImageEmbeddingCache(ImageCacheBytes);
        Info = new EngineInfo(
            model.Description,
            model.Backend.Description,
            contextLength,
            model.Config.TokensPerImage,
            Stopwatch.GetElapsedTime(0) - started,
            model.DeviceNote);
    }

    /// <summary>What was loaded, and on what it runs.</summary>
    public EngineInfo Info { get; }

    internal ModelConfig Config => model.Config;

    internal TextTokenizer Tokenizer { get; }

    internal ModelRunner Runner { get; }

    internal ImageEmbeddingCache Images { get; }

    /// <summary>Whoever computes, holds it.</summary>
    internal SemaphoreSlim Turn { get; } = new(1, 1);

    /// <summary>Opens a checkpoint and makes everything ready to answer.</summary>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The options ask for what cannot be.</exception>
    public static Task<XComposerEngine> LoadAsync(EngineOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Task.Run(() => Load(options, cancellationToken), cancellationToken);
    }

    /// <summary>A new conversation. Dispose it before the engine.</summary>
    /// <exception cref="PromptException">The prompt style is unknown.</exception>
    public ChatSession CreateSession(SessionOptions? options = null)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        options ??= new SessionOptions();
        PromptStyle style = options.PromptStyle is { } name ? PromptStyle.Find(name) : PromptStyle.All[0];
        var session = new ChatSession(this, new ChatTemplate(Tokenizer, style), options.System);
        lock (sessionsLock)
            sessions.Add(session);
        return session;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        Turn.Wait();
        Runner.Dispose();
        model.Dispose();
        Turn.Dispose();
    }

    internal void Forget(ChatSession session)
    {
        lock (sessionsLock)
            sessions.Remove(session);
    }

    /// <summary>Frees cache pages: the session that was used longest ago loses its cached tokens, and will compute them again when it is next used.</summary>
    /// <returns>False where no other session has any.</returns>
    internal bool FreePagesOfAnother(ChatSession asking)
    {
        lock (sessionsLock)
        {
            ChatSession? oldest = null;
            foreach (ChatSession session in sessions)
                if (session != asking && session.CachedTokens > 0 && (oldest is null || session.LastUse < oldest.LastUse))
                    oldest = session;
            oldest?.DropCache();
            return oldest is not null;
        }
    }

    private static XComposerEngine Load(EngineOptions options, CancellationToken cancellation)
    {
        TimeSpan started = Stopwatch.GetElapsedTime(0);
        LoadedModel model = LoadedModel.Open(options.ModelPath, options.Device, options.Quantization);
        try
        {
            TextTokenizer tokenizer = TextTokenizer.Load(options.ModelPath, model.Config.Decoder.VocabularySize);
            int contextLength = ContextLengths.Resolve(options.ContextLength, model.Config);
            if (model.Backend is CpuBackend)
                ModelMemoryPlan.For(model, contextLength).RequireFit();
            model.Quantize(cancellation);
            return new XComposerEngine(model, tokenizer, contextLength, started);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
