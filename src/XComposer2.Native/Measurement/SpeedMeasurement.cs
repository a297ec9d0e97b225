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
    public static SpeedResult Run(SpeedOptions options, IProgress<(int Done, int All)>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        EngineException.ThrowUnless(options.TextTokens >= 1, "tokens", "1 or more", options.TextTokens);
        EngineException.ThrowUnless(options.Images >= 0, "images", "0 or more", options.Images);
        EngineException.ThrowUnless(options.DecodeSteps >= 0, "decode steps", "0 or more", options.DecodeSteps);
        EngineException.ThrowUnless(options.Sequences is >= 1 and <= StepLimits.MaximumSequences, "sequences", $"1 to {StepLimits.MaximumSequences}", options.Sequences);
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

    private static SpeedResult Run(
        string name, ModelConfig config, IWeightSource weights, IBackend backend, SpeedOptions options, IProgress<(int Done, int All)>? progress, CancellationToken cancellation)
    {
        int prompt = checked(options.TextTokens + (options.Images * config.TokensPerImage));
        // While the last prompts are read, the first answers go on.
        int answer = checked(options.DecodeSteps + 3 + ((options.Sequences - 1) * ((prompt / EngineSizes.ProcessorPiece) + 2)));
        int context = checked(prompt + answer);
        EngineException.ThrowUnless(context <= config.Decoder.MaximumPositions, "tokens, images and decode steps", $"{config.Decoder.MaximumPositions} positions at most", context);
        EngineSizes sizes = EngineSizes.Resolve(
            new EngineLimits { Sequences = options.Sequences, Context = context }, config, backend.CacheFormat, backend is CpuBackend ? DeviceKind.Cpu : DeviceKind.Cuda);
        sizes = sizes with { CachePages = checked((options.Sequences * sizes.PagesPerSequence) + 1) };
        ModelMemoryPlan.For(name, config, WeightFacts.Of(weights, config), sizes, backend, options.Device.Embeddings).RequireFit(backend);
        using var runner = new ModelRunner(config, weights, backend, sizes);
        var vision = new List<TimeSpan>();
        var prefill = new List<TimeSpan>();
        var decode = new List<TimeSpan>();
        for (int sample = 0; sample <= options.Samples; sample++)
        {
            var run = new SpeedSample(runner, sizes, config, options, sample);
            run.Measure(answer, cancellation);
            progress?.Report((sample + 1, options.Samples + 1));
            if (sample == 0)
                continue;
            vision.Add(run.Vision);
            prefill.Add(run.Prefill);
            decode.Add(run.Decode);
        }

        var series = new List<SpeedSeries>();
        if (options.Images > 0)
            series.Add(new SpeedSeries("vision", options.Sequences * options.Images * config.TokensPerImage, vision));
        series.Add(new SpeedSeries("prefill", options.Sequences * prompt, prefill));
        if (options.DecodeSteps > 0)
            series.Add(new SpeedSeries("decode", options.Sequences * options.DecodeSteps, decode));
        WeightFacts facts = WeightFacts.Of(weights, config);
        return new SpeedResult(name, backend.Description, facts.TotalBytes, facts.DecodeBytes, series);
    }
}

/// <summary>One sample: all prompts, then steps of all answers together.</summary>
internal sealed class SpeedSample(ModelRunner runner, EngineSizes sizes, ModelConfig config, SpeedOptions options, int number)
{
    /// <summary>Vision towers of all pictures.</summary>
    public TimeSpan Vision { get; private set; }

    /// <summary>The rest, until the last prompt's first token is heard.</summary>
    public TimeSpan Prefill { get; private set; }

    /// <summary>From there, so many steps of all answers.</summary>
    public TimeSpan Decode { get; private set; }

    public void Measure(int answerTokens, CancellationToken cancellation)
    {
        using var scheduler = new Scheduler(runner, sizes);
        var sinks = new List<TokenCounter>();
        List<PromptPosition>[] prompts = [.. Enumerable.Range(0, options.Sequences).Select(Prompt)];
        long start = Stopwatch.GetTimestamp();
        foreach (List<PromptPosition> prompt in prompts)
        {
            sinks.Add(new TokenCounter());
            scheduler.Add(new AnswerRequest(prompt, Greedy, answerTokens, sinks[^1], null, cancellation));
        }

        // A step ends when its token is heard: a GPU only queues what it is told, and would seem to be done at once.
        RunUntil(scheduler, sinks, 1, cancellation);
        Prefill = Stopwatch.GetElapsedTime(start, sinks.Max(sink => sink.First));
        int[] before = [.. sinks.Select(sink => sink.Tokens)];
        start = Stopwatch.GetTimestamp();
        for (int sequence = 0; sequence < sinks.Count; sequence++)
            sinks[sequence].Wanted = before[sequence] + options.DecodeSteps;
        RunUntil(scheduler, sinks, 0, cancellation);
        Decode = Stopwatch.GetElapsedTime(start);
    }

    private static SamplingRequest Greedy => new() { Parameters = new SamplingParameters(Greedy: true, Temperature: 1, TopK: 0, TopP: 1, RepetitionPenalty: 1) };

    private static void RunUntil(Scheduler scheduler, List<TokenCounter> sinks, int tokens, CancellationToken cancellation)
    {
        while (sinks.Exists(sink => sink.Tokens < Math.Max(tokens, sink.Wanted)))
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
            long start = Stopwatch.GetTimestamp();
            var picture = new PreparedPicture(new ImageContentHash(0, (ulong)number, (ulong)sequence, (ulong)image), config.TokensPerImage, new float[3 * config.ImageSize * config.ImageSize]);
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

    private sealed class TokenCounter : IAnswerSink
    {
        public int Tokens { get; private set; }

        public long First { get; private set; }

        public int Wanted { get; set; }

        public FinishReason? Take(in TokenChoice choice)
        {
            if (Tokens++ == 0)
                First = Stopwatch.GetTimestamp();
            return null;
        }
    }
}

/// <summary>What to measure the speed of: a preset with random weights, or a checkpoint.</summary>
public sealed record SpeedOptions
{
    /// <summary>A published model's name (see <see cref="Model.ModelPresets.Names"/>); null where <see cref="ModelPath"/> is given.</summary>
    public string? Preset { get; init; }

    /// <summary>A checkpoint folder; null where <see cref="Preset"/> is given.</summary>
    public string? ModelPath { get; init; }

    /// <summary>Decoder layers of the preset; null for all.</summary>
    public int? Layers { get; init; }

    /// <summary>Type of the preset's weights.</summary>
    public DType Weights { get; init; } = DType.BF16;

    /// <summary>What is quantised while loading, of a preset or a checkpoint.</summary>
    public WeightQuantization Quantization { get; init; }

    /// <summary>Text tokens of the prompt.</summary>
    public int TextTokens { get; init; } = 512;

    /// <summary>Pictures before the text.</summary>
    public int Images { get; init; }

    /// <summary>Answers that are generated together.</summary>
    public int Sequences { get; init; } = 1;

    /// <summary>Decode steps of one sample, each with a row for every answer.</summary>
    public int DecodeSteps { get; init; } = 64;

    /// <summary>Samples after the one that warms up.</summary>
    public int Samples { get; init; } = 5;

    /// <summary>Where to run.</summary>
    public DeviceOptions Device { get; init; } = new();
}

/// <summary>A finished measurement.</summary>
/// <param name="Model">What was measured, in words.</param>
/// <param name="Device">What it ran on.</param>
/// <param name="WeightBytes">Bytes of all weights.</param>
/// <param name="DecodeWeightBytes">Bytes of weights that a decode step reads: layers without Partial LoRA, norm and head.</param>
/// <param name="Series">Vision where there are pictures, prefill, decode where there are steps.</param>
public sealed record SpeedResult(string Model, string Device, long WeightBytes, long DecodeWeightBytes, IReadOnlyList<SpeedSeries> Series);

/// <summary>Times of one kind of work.</summary>
/// <param name="Name">"vision", "prefill" or "decode".</param>
/// <param name="Tokens">Positions that one sample computes.</param>
/// <param name="Samples">One time per sample, in order.</param>
public sealed record SpeedSeries(string Name, int Tokens, IReadOnlyList<TimeSpan> Samples)
{
    /// <summary>Of the samples; of an even number the lower of the middle two.</summary>
    public TimeSpan Median => Samples.Order().ElementAt((Samples.Count - 1) / 2);

    /// <summary>At the median.</summary>
    public double TokensPerSecond => Tokens / Median.TotalSeconds;
}
