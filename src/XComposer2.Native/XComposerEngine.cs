using System.Diagnostics;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>A loaded model, and the thread that answers with it. Safe to use from several threads; its sessions' answers are generated together.</summary>
public sealed class XComposerEngine : IDisposable, IAsyncDisposable
{
    private readonly LoadedModel model;
    private readonly ModelRunner runner;
    private readonly EngineThread thread;
    private readonly PicturePreparer preparer;
    private readonly AnswerService answers;
    private readonly Lock disposal = new();
    private Task? disposed;

    private XComposerEngine(LoadedModel model, TextTokenizer tokenizer, ModelRunner runner, EngineSizes sizes, TimeSpan started, string? deviceNote)
    {
        this.model = model;
        this.runner = runner;
        Tokenizer = tokenizer;
        Scheduler = new Scheduler(runner, sizes);
        thread = new EngineThread(Scheduler);
        preparer = new PicturePreparer(model.Config);
        answers = new AnswerService(tokenizer, preparer, thread, sizes, model.Config.TokensPerImage);
        Info = new EngineInfo(
            model.Description,
            model.Backend.Description,
            sizes.ContextLength,
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

    /// <summary>Belongs to the engine thread; others may look at its counts.</summary>
    internal Scheduler Scheduler { get; }

    /// <summary>Of a GPU; 0 on the processor.</summary>
    internal int LoadedKernels => (model.Backend as CudaBackend)?.LoadedKernels ?? 0;

    /// <summary>0 on the processor, which uses them where they lie.</summary>
    internal long WeightBytesOnDevice => (model.Backend as CudaBackend)?.WeightBytes ?? 0;

    /// <summary>Opens a checkpoint and makes everything ready to answer.</summary>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The options ask for what cannot be.</exception>
    public static Task<XComposerEngine> LoadAsync(EngineOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Task.Run(() => Load(options, cancellationToken), cancellationToken);
    }

    /// <summary>A new conversation.</summary>
    /// <exception cref="PromptException">The prompt style is unknown.</exception>
    public ChatSession CreateSession(SessionOptions? options = null)
    {
        ObjectDisposedException.ThrowIf(disposed is not null, this);
        options ??= new SessionOptions();
        PromptStyle style = options.PromptStyle is { } name ? PromptStyle.Find(name) : PromptStyle.All[0];
        return new ChatSession(answers, new ChatTemplate(Tokenizer, style, Config.EosTokenIds), options.System);
    }

    /// <summary>Looks at one picture: means of the vision branch's rows over each quarter of it.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="cancellationToken">Ends the computation between two operations.</param>
    /// <returns>[4 x hidden], of unit length; pictures that look alike have a cosine near 1.</returns>
    /// <exception cref="ImageException">The picture is damaged, too large, or no picture.</exception>
    public async Task<float[]> PictureFeaturesAsync(ImageInput image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        ObjectDisposedException.ThrowIf(disposed is not null, this);
        (PreparedPicture picture, _) = await preparer.PrepareAsync(image, cancellationToken).ConfigureAwait(false);
        float[] rows = await thread.RunAsync(cancellation => runner.RowsOf(picture, cancellation), cancellationToken).ConfigureAwait(false);
        return PictureFeatures.Pool(rows, model.Config.ImageGrid);
    }

    /// <summary>Ends all answers, and waits for the step under way.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Ends all answers; done when all memory is given back.</summary>
    public ValueTask DisposeAsync()
    {
        lock (disposal)
            return new ValueTask(disposed ??= ReleaseAsync());
    }

    /// <summary>Names the checkpoint by its contents.</summary>
    internal string Fingerprint() => ModelFingerprint.Of(model.Checkpoint);

    /// <summary>Forgets what earlier prompts have left in the cache.</summary>
    internal Task ForgetPrefixesAsync() => OnThreadAsync(() =>
    {
        Scheduler.DropPrefixes();
        return true;
    });

    /// <summary>Runs something on the engine thread, between two iterations.</summary>
    internal Task<T> OnThreadAsync<T>(Func<T> job) => thread.RunAsync(_ => job(), CancellationToken.None);

    private async Task ReleaseAsync()
    {
        await thread.DisposeAsync().ConfigureAwait(false);
        runner.Dispose();
        model.Dispose();
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
            EngineSizes sizes = EngineSizes.Resolve(options.Limits, model.Config, model.Backend.CacheFormat, model.Backend is CudaBackend ? DeviceKind.Cuda : DeviceKind.Cpu);
            ModelMemoryPlan plan = ModelMemoryPlan.For(model, sizes, device.Embeddings);
            if (model.Backend is CudaBackend gpu)
                plan.RequireFit(gpu);
            else
                plan.RequireFit();
            model.Quantize(cancellation);
            reporter.WeightBytes = plan.Weights.Bytes + plan.PageLocked.Sum(item => item.Bytes);
            runner = new ModelRunner(model.Config, model.Weights, model.Backend, sizes);
            if (model.Backend is CudaBackend)
                runner.Prepare();
            return new XComposerEngine(model, tokenizer, runner, sizes, started, deviceNote);
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
/// <param name="Model">Name and element type of the weights, for example "internlm-xcomposer2-vl-7b, bf16".</param>
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
            _ => NameOf(checkpoint.Directory),
        };
        return $"{variant}, {checkpoint.Weights}";
    }

    /// <summary>Name of a checkpoint folder. Folders with a generic name are called like the one above, snapshots of a hub cache like their repository.</summary>
    internal static string NameOf(string directory)
    {
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        string name = Path.GetFileName(path);
        if (Path.GetDirectoryName(path) is not { } parent || Path.GetFileName(parent) is not { Length: > 0 } parentName)
            return name.Length > 0 ? name : path;
        if (parentName == "snapshots" && Path.GetFileName(Path.GetDirectoryName(parent)) is { } cache && cache.StartsWith("models--", StringComparison.Ordinal))
            return cache[(cache.LastIndexOf("--", StringComparison.Ordinal) + 2)..];
        return name is "checkpoint" or "model" or "weights" ? parentName : name;
    }
}
