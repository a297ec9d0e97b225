using System.Diagnostics;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Measurement;

/// <summary>Times the model's steps as a client of the scheduler: each sample is pictures, prompts and decode steps from an empty cache. The first one warms
/// up and is not counted.</summary>
public static class SpeedMeasurement
{
    /// <param name="options">What to measure.</param>
    /// <param name="progress">Told after each sample how many of all are done.</param>
    /// <param name="cancellationToken">Looked at between operations.</param>
    /// <exception cref="EngineException">The options ask for what cannot be.</exception>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="ImageException">The picture is damaged, too large, or no picture.</exception>
    public static SpeedResult Run(SpeedOptions options, IProgress<(int Done, int All)>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        EngineException.ThrowUnless(options.TextTokens >= 1, "tokens", "1 or more", options.TextTokens);
        EngineException.ThrowUnless(options.Images >= 0, "images", "0 or more", options.Images);
        EngineException.ThrowUnless(options.DecodeSteps >= 0, "decode steps", "0 or more", options.DecodeSteps);
        EngineException.ThrowUnless(options.Sequences is >= 1 and <= StepLimits.MaximumSequences, "sequences", $"1 to {StepLimits.MaximumSequences}", options.Sequences);
        EngineException.ThrowUnless(options.Beams >= 1 && options.Beams <= BeamSettings.MaximumBeams, "beams", $"1 to {BeamSettings.MaximumBeams}", options.Beams);
        EngineException.ThrowUnless((long)options.Sequences * options.Beams <= StepLimits.MaximumSequences, "sequences times beams", $"at most {StepLimits.MaximumSequences}", (long)options.Sequences * options.Beams);
        EngineException.ThrowUnless(options.Samples >= 1, "samples", "1 or more", options.Samples);
        EngineException.ThrowUnless(options.Layers is null or >= 1, "layers", "1 or more", options.Layers);
        if ((options.Preset is null) == (options.ModelPath is null))
            throw new EngineException("expected either a preset or a checkpoint to measure");
        if (options.ModelPath is { } path)
        {
            using LoadedModel model = LoadedModel.Open(path, options.Device, options.Quantization);
            return Run(model.Description, model.Config, model.Weights, model.Backend, options, progress, cancellationToken);
        }

        ModelConfig config = Presets.Find(options.Preset!);
        if (options.Layers is { } layers)
            config = config.WithLayers(layers);
        using var weights = new PreparedWeights(Quantizations.Over(new SyntheticWeights(config, type: options.Weights), options.Quantization), config);
        using IBackend backend = Backends.Create(options.Device, options.Weights).Backend;
        string name = $"{options.Preset}, {config.Decoder.LayerCount} layers, random {options.Weights} weights{Quantizations.Describe(options.Quantization)}";
        return Run(name, config, weights, backend, options, progress, cancellationToken);
    }

    /// <summary>Times how long a checkpoint takes until the engine is ready: files opened and checked, kernels ready, weights on a GPU or in the
    /// processor's order. The first sample warms up (files come into the page cache, kernels into theirs) and is not counted.</summary>
    /// <param name="options">Of which the checkpoint, its quantisation, the device and the number of samples count.</param>
    /// <param name="progress">Told after each sample how many of all are done.</param>
    /// <param name="cancellationToken">Ends it between samples.</param>
    /// <exception cref="EngineException">The options ask for what cannot be.</exception>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    public static async Task<SpeedResult> RunLoadsAsync(SpeedOptions options, IProgress<(int Done, int All)>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        EngineException.ThrowUnless(options.Samples >= 1, "samples", "1 or more", options.Samples);
        string path = options.ModelPath ?? throw new EngineException("expected a checkpoint to load: the random weights of a preset are in no file");
        var loads = new List<TimeSpan>();
        for (int sample = 0; ; sample++)
        {
            EngineOptions opened = new() { ModelPath = path, Device = options.Device, Quantization = options.Quantization };
            await using XComposerEngine engine = await XComposerEngine.LoadAsync(opened, cancellationToken).ConfigureAwait(false);
            progress?.Report((sample + 1, options.Samples + 1));
            if (sample > 0)
                loads.Add(engine.Info.LoadTime);
            if (sample == options.Samples)
                return new SpeedResult(engine.Info.Model, engine.Info.Device, engine.Weights.TotalBytes, engine.Weights.DecodeBytes, [new SpeedSeries("load", 0, loads)]);
        }
    }

    private static SpeedResult Run(
        string name, ModelConfig config, IWeightSource weights, IBackend backend, SpeedOptions options, IProgress<(int Done, int All)>? progress,
        CancellationToken cancellation)
    {
        int prompt = checked(options.TextTokens + (options.Images * config.TokensPerImage));
        // While the last prompts are read, the first answers go on.
        int answer = checked(options.DecodeSteps + 3 + ((options.Sequences - 1) * ((prompt / EngineSizes.ProcessorPiece) + 2)));
        int context = checked(prompt + answer);
        EngineException.ThrowUnless(context <= config.Decoder.MaximumPositions, "tokens, images and decode steps", $"{config.Decoder.MaximumPositions} positions at most", context);
        EngineSizes sizes = EngineSizes.Resolve(
            new EngineLimits { Sequences = options.Sequences * options.Beams, Context = context }, config, backend.CacheFormat, backend is CpuBackend ? DeviceKind.Cpu : DeviceKind.Cuda);
        sizes = sizes with { CachePages = checked((options.Sequences * options.Beams * sizes.PagesPerSequence) + options.Sequences) };
        ModelMemoryPlan.For(name, config, WeightFacts.Of(weights, config), sizes, backend, options.Device.Embeddings).RequireFit(backend);
        using var runner = new ModelRunner(config, weights, backend, sizes);
        List<TimeSpan> picture = [], vision = [], prefill = [], first = [], decode = [];
        for (int sample = 0; sample <= options.Samples; sample++)
        {
            var run = new SpeedSample(runner, sizes, config, options, sample);
            run.Measure(answer, cancellation);
            progress?.Report((sample + 1, options.Samples + 1));
            if (sample == 0)
                continue;
            picture.Add(run.Picture);
            vision.Add(run.Vision);
            prefill.Add(run.Prefill);
            first.Add(run.Picture + run.Vision + run.Prefill);
            decode.Add(run.Decode);
        }

        var series = new List<SpeedSeries>();
        bool hasPicture = options.Images > 0 && options.Picture is not null;
        if (hasPicture)
            series.Add(new SpeedSeries("picture", 0, picture));
        if (options.Images > 0)
            series.Add(new SpeedSeries("vision", options.Sequences * options.Images * config.TokensPerImage, vision));
        series.Add(new SpeedSeries("prefill", options.Sequences * prompt, prefill));
        if (hasPicture)
            series.Add(new SpeedSeries("first token", 0, first));
        if (options.DecodeSteps > 0)
            series.Add(new SpeedSeries("decode", options.Sequences * options.DecodeSteps, decode));
        WeightFacts facts = WeightFacts.Of(weights, config);
        return new SpeedResult(name, backend.Description, facts.TotalBytes, facts.DecodeBytes, series);
    }
}

/// <summary>One sample: all prompts, then steps of all answers together.</summary>
internal sealed class SpeedSample(ModelRunner runner, EngineSizes sizes, ModelConfig config, SpeedOptions options, int number)
{
    /// <summary>Decoding and resizing of all pictures.</summary>
    public TimeSpan Picture { get; private set; }

    /// <summary>Vision towers of all pictures.</summary>
    public TimeSpan Vision { get; private set; }

    /// <summary>The rest, until the last prompt's first token is heard.</summary>
    public TimeSpan Prefill { get; private set; }

    /// <summary>From there, so many steps of all answers.</summary>
    public TimeSpan Decode { get; private set; }

    public void Measure(int answerTokens, CancellationToken cancellation)
    {
        using var scheduler = new Scheduler(runner, sizes);
        var requests = new List<AnswerRequest>();
        List<PromptPosition>[] prompts = [.. Enumerable.Range(0, options.Sequences).Select(Prompt)];
        long start = Stopwatch.GetTimestamp();
        foreach (List<PromptPosition> prompt in prompts)
        {
            requests.Add(new AnswerRequest(prompt, Greedy, answerTokens, new Unheard(), null, cancellation) { Beams = Search });
            scheduler.Add(requests[^1]);
        }

        // A step ends when its token is heard: a GPU only queues what it is told, and would seem to be done at once.
        int[] wanted = [.. requests.Select(_ => 1)];
        RunUntil(scheduler, requests, wanted, cancellation);
        Prefill = Stopwatch.GetElapsedTime(start, requests.Max(request => request.Clock.FirstHeard));
        wanted = [.. requests.Select(request => request.Tokens + options.DecodeSteps)];
        start = Stopwatch.GetTimestamp();
        RunUntil(scheduler, requests, wanted, cancellation);
        Decode = Stopwatch.GetElapsedTime(start);
    }

    private static SamplingRequest Greedy => new() { Parameters = new SamplingParameters(Greedy: true, Temperature: 1, TopK: 0, TopP: 1, RepetitionPenalty: 1) };

    // Without an end mark, as the greedy answers.
    private BeamSettings? Search => options.Beams == 1 ? null : new BeamSettings(options.Beams, LengthPenalty: 1, EarlyStopping: false, RepetitionPenalty: 1, StartIds: [1], EndIds: []);

    private static void RunUntil(Scheduler scheduler, List<AnswerRequest> requests, int[] wanted, CancellationToken cancellation)
    {
        while (requests.Zip(wanted).Any(pair => pair.First.Tokens < pair.Second))
        {
            cancellation.ThrowIfCancellationRequested();
            scheduler.Iterate();
            if (!scheduler.HasWork)
                throw new InvalidOperationException("an answer ended before it was measured");
        }
    }

    // Different prompts, so that none is another's prefix.
    private List<PromptPosition> Prompt(int sequence)
    {
        var positions = new List<PromptPosition>();
        for (int image = 0; image < options.Images; image++)
        {
            var pixels = new float[3 * config.ImageSize * config.ImageSize];
            long start = Stopwatch.GetTimestamp();
            if (options.Picture is { } encoded)
                ImagePreprocessor.Run(
                    ImageDecoder.Decode(encoded, "picture", ImageLimits.Default, ExifOrientation.Apply, CancellationToken.None), config.ImageSize, SquareMode.Squash, pixels);
            Picture += Stopwatch.GetElapsedTime(start);
            start = Stopwatch.GetTimestamp();
            var picture = new PreparedPicture(new ImageContentHash(0, (ulong)number, (ulong)sequence, (ulong)image), config.TokensPerImage, pixels);
            runner.RowsOf(picture, CancellationToken.None);
            Vision += Stopwatch.GetElapsedTime(start);
            for (int row = 0; row < config.TokensPerImage; row++)
                positions.Add(PromptPosition.Visual(picture, row));
        }

        for (int i = 0; i < options.TextTokens; i++)
            positions.Add(PromptPosition.Text(TokenAt(i + (sequence * 31), config)));
        return positions;
    }

    // Spread over the vocabulary, so that the embedding table is read as text would.
    private static int TokenAt(int index, ModelConfig config) => (int)((300 + (index * 7919L)) % config.Decoder.VocabularySize);

    private sealed class Unheard : IAnswerSink
    {
        public FinishReason? Take(in TokenChoice choice) => null;
    }
}
