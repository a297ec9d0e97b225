using System.Diagnostics;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>A loaded model. Thread-safe; answers of several sessions are generated together.</summary>
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
        answers = new AnswerService(tokenizer, preparer, thread, sizes, model.Config);
        Info = new EngineInfo(
            model.Description,
            model.Backend.Description,
            sizes.ContextLength,
            model.Config.TokensPerImage,
            Stopwatch.GetElapsedTime(0) - started,
            deviceNote ?? model.DeviceNote)
        {
            PromptLength = sizes.PromptLength,
            ImageSize = model.Config.ImageSize,
            PromptStyle = model.Config.PromptStyle.Name,
            DeviceFailed = deviceNote is not null || model.DeviceFailed,
        };
    }

    /// <summary>Facts about the loaded model and its device.</summary>
    public EngineInfo Info { get; }

    internal ModelConfig Config => model.Config;

    internal TextTokenizer Tokenizer { get; }

    /// <summary>Belongs to the engine thread; others may look at its counts.</summary>
    internal Scheduler Scheduler { get; }

    /// <summary>Answers prompts that belong to no session.</summary>
    internal AnswerService Answers
    {
        get
        {
            ObjectDisposedException.ThrowIf(disposed is not null, this);
            return answers;
        }
    }

    /// <summary>Of a GPU; 0 on the processor.</summary>
    internal int LoadedKernels => (model.Backend as CudaBackend)?.LoadedKernels ?? 0;

    /// <summary>0 on the processor, which uses them where they lie.</summary>
    internal long WeightBytesOnDevice => (model.Backend as CudaBackend)?.WeightBytes ?? 0;

    /// <summary>Loads a checkpoint and prepares the device, so that the first answer starts at once.</summary>
    /// <param name="options">The checkpoint folder, the device and the limits.</param>
    /// <param name="cancellationToken">Stops loading.</param>
    /// <returns>The engine; dispose it to release weights, cache and device.</returns>
    /// <exception cref="CheckpointException">The checkpoint is incomplete or damaged; the message names file and tensor.</exception>
    /// <exception cref="EngineException">An option is out of range, the requested device does not work, or memory is insufficient.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static Task<XComposerEngine> LoadAsync(EngineOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Task.Run(() => Load(options, cancellationToken), cancellationToken);
    }

    /// <summary>Starts a conversation.</summary>
    /// <param name="options">System text and prompt style; null for the defaults.</param>
    /// <exception cref="PromptException">The prompt style is unknown.</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed.</exception>
    public ChatSession CreateSession(SessionOptions? options = null)
    {
        ObjectDisposedException.ThrowIf(disposed is not null, this);
        options ??= new SessionOptions();
        return new ChatSession(answers, TemplateOf(options.PromptStyle), options.System, options.MayBeLong);
    }

    /// <param name="style">Name of a prompt style; null for the model's own.</param>
    /// <exception cref="PromptException">The prompt style is unknown.</exception>
    internal ChatTemplate TemplateOf(string? style) =>
        new(Tokenizer, style is null ? Config.PromptStyle : PromptStyle.Find(style, Config), Config.EosTokenIds);

    /// <summary>Computes a feature vector of a picture: the mean of its visual embeddings in each quarter.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="cancellationToken">Stops the computation between two operations.</param>
    /// <returns>[4 x hidden], of unit length; similar pictures have a cosine near 1.</returns>
    /// <exception cref="ImageException">The picture is damaged, too large, or not a picture.</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed.</exception>
    public async Task<float[]> PictureFeaturesAsync(ImageInput image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        ObjectDisposedException.ThrowIf(disposed is not null, this);
        PreparedPicture picture = (await preparer.PrepareAsync(image, cancellationToken).ConfigureAwait(false)).Picture;
        float[] rows = await thread.RunAsync(cancellation => runner.RowsOf(picture, cancellation), cancellationToken).ConfigureAwait(false);
        return PictureFeatures.Pool(rows, model.Config.ImageGrid);
    }

    /// <summary>Stops all answers, waits for the current step and releases all memory.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Stops all answers; completes when all memory is released.</summary>
    public ValueTask DisposeAsync()
    {
        lock (disposal)
            return new ValueTask(disposed ??= ReleaseAsync());
    }

    /// <summary>Sizes of the weights.</summary>
    internal WeightFacts Weights => WeightFacts.Of(model.Weights, model.Config);

    /// <summary>Names the checkpoint by its contents.</summary>
    internal string Fingerprint() => ModelFingerprint.Of(model.Checkpoint);

    /// <summary>Forgets what earlier prompts have left in the cache.</summary>
    internal Task ForgetPrefixesAsync() => OnThreadAsync(() =>
    {
        Scheduler.DropPrefixes();
        return true;
    });

    /// <summary>What the engine does at this moment.</summary>
    internal Task<EngineLoad> LoadOfAsync() => OnThreadAsync(() => new EngineLoad(Scheduler.Running, Scheduler.Waiting, Scheduler.PageCount, Scheduler.PageCount - Scheduler.AvailablePages));

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
        LoadedModel model = LoadedModel.Open(
            options.ModelPath, device, options.Quantization, reporter, options.Notice, new CheckpointOptions { Adapters = options.Adapters, Loading = options.Loading, Cancellation = cancellation });
        ModelRunner? runner = null;
        EngineOptions? fitted;
        try
        {
            Task<TextTokenizer> tokenizer = Task.Run(() => TextTokenizer.Load(options.ModelPath, model.Config.Decoder.VocabularySize), CancellationToken.None);
            EngineSizes sizes = EngineSizes.Resolve(options.Limits, model.Config, model.Backend.CacheFormat, model.Backend is CudaBackend ? DeviceKind.Cuda : DeviceKind.Cpu);
            ModelMemoryPlan plan = ModelMemoryPlan.For(model, sizes, device.Embeddings);
            fitted = options.Fit ? Fitted(options, device, model, plan) : null;
            if (fitted is null)
            {
                plan.RequireFit(model.Backend);
                // Before what takes long: a damaged tokenizer is reported at once.
                TextTokenizer text = tokenizer.GetAwaiter().GetResult();
                model.Quantize(cancellation);
                reporter.WeightBytes = plan.Weights.Bytes + plan.PageLocked.Sum(item => item.Bytes);
                runner = new ModelRunner(model.Config, model.Weights, model.Backend, sizes);
                if (model.Backend is CudaBackend)
                    runner.Prepare();
                else if (!options.Quantization.IsNone)
                    runner.PrepareWeights();
                return new XComposerEngine(model, text, runner, sizes, started, deviceNote);
            }
        }
        catch
        {
            runner?.Dispose();
            model.Dispose();
            throw;
        }

        // Its memory goes first.
        model.Dispose();
        return Load(fitted, fitted.Device, started, deviceNote, cancellation);
    }

    /// <summary>The smallest change of options that fits into a GPU's free memory; null where they fit, on the processor, and where nothing does.</summary>
    private static EngineOptions? Fitted(EngineOptions options, DeviceOptions device, LoadedModel model, ModelMemoryPlan plan)
    {
        if (model.Backend is not CudaBackend gpu)
            return null;
        (long free, _) = gpu.ReadMemory();
        if (plan.TotalBytes + plan.ReserveBytes <= free)
            return null;
        var files = new CheckpointOptions { Adapters = options.Adapters, Loading = options.Loading };
        GpuFit fit = GpuFit.Find(
            new GpuPlanRequest(null, options.ModelPath, options.Limits.Context, device with { Storage = gpu.Storage }, options.Quantization, files)
            {
                Limits = options.Limits, KeepsContext = options.Limits.Context is not null, KeepsLinears = true,
            },
            free,
            plan.ReserveBytes);
        if (fit.Changed is not { } changed)
            return null;
        options.Notice?.Invoke(FormattableString.Invariant(
            $"{free >> 20} MiB are free on {gpu.DeviceName}, {Mebibytes(fit.NeededBytes)} MiB were needed: loading with {fit.Change}, which needs {Mebibytes(fit.ChangedBytes)} MiB"));
        return options with { Fit = false, Device = changed.Device with { Storage = device.Storage }, Quantization = changed.Quantization, Limits = options.Limits with { Context = changed.Context } };

        // Rounded up, since what is free is rounded down.
        static long Mebibytes(long bytes) => (bytes + (1L << 20) - 1) >> 20;
    }
}

/// <summary>What an engine does at one moment.</summary>
/// <param name="Running">Requests that are read or answered.</param>
/// <param name="Waiting">Requests that wait to be admitted.</param>
/// <param name="Pages">Pages of the cache.</param>
/// <param name="PagesInUse">Those that running requests hold.</param>
internal readonly record struct EngineLoad(int Running, int Waiting, int Pages, int PagesInUse);

/// <summary>Facts about a loaded model.</summary>
/// <param name="Model">Name and element type of the weights, for example "internlm-xcomposer2-vl-7b, bf16".</param>
/// <param name="Device">The device, for example "cpu, 2 threads, 512-bit vectors".</param>
/// <param name="ContextLength">Maximum length of a sequence in tokens, prompt and answer together.</param>
/// <param name="TokensPerImage">Positions per picture.</param>
/// <param name="LoadTime">Duration of <see cref="XComposerEngine.LoadAsync"/>.</param>
/// <param name="DeviceNote">Why a faster device was not used, as a sentence; null if there was none.</param>
public sealed record EngineInfo(string Model, string Device, int ContextLength, int TokensPerImage, TimeSpan LoadTime, string? DeviceNote = null)
{
    /// <summary>Maximum length of a conversation's prompt in tokens.</summary>
    public int PromptLength { get; init; }

    /// <summary>Side of the square that the model sees of a picture, in pixels.</summary>
    public int ImageSize { get; init; }

    /// <summary>Name of the default prompt style.</summary>
    public string PromptStyle { get; init; } = "";

    /// <summary>Whether a faster device exists but does not work.</summary>
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
