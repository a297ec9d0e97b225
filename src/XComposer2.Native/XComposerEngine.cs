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

    private XComposerEngine(LoadedModel model, TextTokenizer tokenizer, ModelRunner runner, int contextLength, TimeSpan started, string? deviceNote)
    {
        this.model = model;
        Tokenizer = tokenizer;
        Runner = runner;
        Images = new ImageEmbeddingCache(ImageCacheBytes);
        Info = new EngineInfo(
            model.Description,
            model.Backend.Description,
            contextLength,
            model.Config.TokensPerImage,
            Stopwatch.GetElapsedTime(0) - started,
            deviceNote ?? model.DeviceNote)
        {
            DeviceFailed = deviceNote is not null || model.DeviceFailed,
        };
    }

    /// <summary>What was loaded, and on what it runs.</summary>
    public EngineInfo Info { get; }

    internal ModelConfig Config => model.Config;

    internal TextTokenizer Tokenizer { get; }

    internal ModelRunner Runner { get; }

    /// <summary>0 on the processor, which uses them where they lie.</summary>
    internal long WeightBytesOnDevice => (model.Backend as CudaBackend)?.WeightBytes ?? 0;

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
        var session = new ChatSession(this, new ChatTemplate(Tokenizer, style, Config.EosTokenIds), options.System);
        lock (sessionsLock)
            sessions.Add(session);
        return session;
    }

    /// <summary>Looks at one picture: means of the vision branch's rows over each quarter of it.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="cancellationToken">Ends the computation between two operations.</param>
    /// <returns>[4 x hidden], of unit length; pictures that look alike have a cosine near 1.</returns>
    /// <exception cref="ImageException">The picture is damaged, too large, or no picture.</exception>
    public Task<float[]> PictureFeaturesAsync(ImageInput image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        ObjectDisposedException.ThrowIf(disposed, this);
        return Task.Run(() => PictureFeaturesInTurnAsync(image, cancellationToken), cancellationToken);
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

    /// <summary>Names the checkpoint by its contents.</summary>
    internal string Fingerprint() => ModelFingerprint.Of(model.Checkpoint);

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

    private async Task<float[]> PictureFeaturesInTurnAsync(ImageInput image, CancellationToken cancellation)
    {
        await Turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return PictureFeatures.Pool(new ImageEncoder(this).Encode([image], cancellation)[0].Rows, Config.ImageGrid);
        }
        finally
        {
            Turn.Release();
        }
    }

    private static XComposerEngine Load(EngineOptions options, CancellationToken cancellation)
    {
        TimeSpan started = Stopwatch.GetElapsedTime(0);
        try
        {
            return Load(options, options.Device, started, null, cancellation);
        }
        catch (Exception failure) when (DeviceFailure.Describe(failure) is { } why)
        {
            return options.Device.Kind == DeviceKind.Auto
                ? Load(options, options.Device with { Kind = DeviceKind.Cpu }, started, Backends.PassedOver(why), cancellation)
                : throw Backends.Refused(why, failure);
        }
    }

    private static XComposerEngine Load(EngineOptions options, DeviceOptions device, TimeSpan started, string? deviceNote, CancellationToken cancellation)
    {
        var reporter = new LoadReporter(options.Progress);
        LoadedModel model = LoadedModel.Open(options.ModelPath, device, options.Quantization, reporter, options.Notice, options.Adapters);
        ModelRunner? runner = null;
        try
        {
            TextTokenizer tokenizer = TextTokenizer.Load(options.ModelPath, model.Config.Decoder.VocabularySize);
            int contextLength = ContextLengths.Resolve(options.ContextLength, model.Config);
            ModelMemoryPlan plan = ModelMemoryPlan.For(model, contextLength, device.Embeddings);
            if (model.Backend is CudaBackend gpu)
                plan.RequireFit(gpu);
            else
                plan.RequireFit();
            model.Quantize(cancellation);
            reporter.WeightBytes = plan.Weights.Bytes + plan.PageLocked.Sum(item => item.Bytes);
            runner = new ModelRunner(model.Config, model.Weights, model.Backend, contextLength);
            if (model.Backend is CudaBackend)
                runner.Prepare();
            return new XComposerEngine(model, tokenizer, runner, contextLength, started, deviceNote);
        }
        catch
        {
            runner?.Dispose();
            model.Dispose();
            throw;
        }
    }
}

/// <summary>Facts about a loaded model.</summary>
/// <param name="Model">Variant and layout in words, for example "internlm-xcomposer2-vl-7b, torch .bin, 2 shards".</param>
/// <param name="Device">What it runs on, for example "cpu, 2 threads, AVX-512".</param>
/// <param name="ContextLength">Longest sequence in tokens.</param>
/// <param name="TokensPerImage">Positions that a picture takes.</param>
/// <param name="LoadTime">From the call of <see cref="XComposerEngine.LoadAsync"/> to ready.</param>
/// <param name="DeviceNote">Why a faster kind of device was not taken, in a sentence; null where none was passed over.</param>
public sealed record EngineInfo(string Model, string Device, int ContextLength, int TokensPerImage, TimeSpan LoadTime, string? DeviceNote = null)
{
    /// <summary>A faster kind of device seems to be there and could not be used, which its owner will want to know.</summary>
    public bool DeviceFailed { get; init; }

    internal static string Describe(Checkpoint checkpoint)
    {
        string variant = checkpoint.Config.Variant switch
        {
            ModelVariant.VisionLanguage7B => ModelPresets.VisionLanguage7B,
            ModelVariant.Composition7B => ModelPresets.Composition7B,
            ModelVariant.VisionLanguage1B8 => ModelPresets.VisionLanguage1B8,
            ModelVariant.HighResolution7B => "internlm-xcomposer2-4khd-7b",
            _ => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(checkpoint.Directory))),
        };
        return $"{variant}, {checkpoint.Layout}";
    }
}
