using System.Diagnostics;
using System.Runtime.InteropServices;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>Times the model's steps: each sample is pictures, prompt and decode steps from an empty cache. The first one warms up and is not counted.</summary>
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
        using var weights = new PreparedWeights(QuantizedWeights.Over(new SyntheticWeights(config, type: options.Weights), options.Quantization), config);
        using IBackend backend = Backends.Create(options.Device, options.Weights).Backend;
        string name = $"{options.Preset}, {config.Decoder.LayerCount} layers, random {options.Weights} weights{QuantizedWeights.Describe(options.Quantization)}";
        return Run(name, config, weights, backend, options, progress, cancellationToken);
    }

    private static SpeedResult Run(
        string name, ModelConfig config, IWeightSource weights, IBackend backend, SpeedOptions options, IProgress<(int Done, int All)>? progress, CancellationToken cancellation)
    {
        int prompt = checked(options.TextTokens + (options.Images * config.TokensPerImage));
        int context = checked(prompt + options.DecodeSteps);
        EngineException.ThrowUnless(context <= config.Decoder.MaximumPositions, "tokens, images and decode steps", $"{config.Decoder.MaximumPositions} positions at most", context);
        using var runner = new ModelRunner(config, weights, backend, context);
        var vision = new List<TimeSpan>();
        var prefill = new List<TimeSpan>();
        var decode = new List<TimeSpan>();
        for (int sample = 0; sample <= options.Samples; sample++)
        {
            (TimeSpan visionTime, TimeSpan prefillTime, TimeSpan decodeTime) = Sample(runner, config, options, cancellation);
            progress?.Report((sample + 1, options.Samples + 1));
            if (sample == 0)
                continue;
            vision.Add(visionTime);
            prefill.Add(prefillTime);
            decode.Add(decodeTime);
        }

        var series = new List<SpeedSeries>();
        if (options.Images > 0)
            series.Add(new SpeedSeries("vision", options.Images * config.TokensPerImage, vision));
        series.Add(new SpeedSeries("prefill", prompt, prefill));
        if (options.DecodeSteps > 0)
            series.Add(new SpeedSeries("decode", options.DecodeSteps, decode));
        WeightFacts facts = WeightFacts.Of(weights, config);
        return new SpeedResult(name, backend.Description, facts.TotalBytes, facts.DecodeBytes, series);
    }

    private static (TimeSpan Vision, TimeSpan Prefill, TimeSpan Decode) Sample(
        ModelRunner runner, ModelConfig config, SpeedOptions options, CancellationToken cancellation)
    {
        var positions = new List<PromptPosition>();
        long start = Stopwatch.GetTimestamp();
        for (int image = 0; image < options.Images; image++)
        {
            var hash = new ImageContentHash(0, (UInt128)image);
            var embedding = new ImageEmbedding(hash, config.TokensPerImage, runner.EncodeImage(new float[3 * config.ImageSize * config.ImageSize], cancellation));
            for (int row = 0; row < config.TokensPerImage; row++)
                positions.Add(PromptPosition.Visual(embedding, row));
        }

        TimeSpan vision = Stopwatch.GetElapsedTime(start);
        for (int i = 0; i < options.TextTokens; i++)
            positions.Add(PromptPosition.Text(TokenAt(i, config)));

        using var sequence = new KeyValueSequence(runner.Pool);
        // A step ends when its token is known, as in an answer: a GPU only queues what it is told, and would seem to be done at once.
        using ITokenSampler sampler = runner.CreateSampler(new SamplingParameters(Greedy: true, Temperature: 1, TopK: 0, TopP: 1, RepetitionPenalty: 1), seed: 0);
        start = Stopwatch.GetTimestamp();
        runner.Prefill(sequence, CollectionsMarshal.AsSpan(positions), cancellation);
        runner.Choose(sampler);
        sampler.Take();
        TimeSpan prefill = Stopwatch.GetElapsedTime(start);

        // As an answer does: each step is fed what the one before chose, and the host hears of a choice when the next step is under way.
        start = Stopwatch.GetTimestamp();
        for (int step = 0; step < options.DecodeSteps; step++)
        {
            runner.Step(sequence, sampler, cancellation);
            sequence.Advance(1);
            runner.Choose(sampler);
            if (step > 0)
                sampler.Take();
        }

        if (options.DecodeSteps > 0)
            sampler.Take();
        return (vision, prefill, Stopwatch.GetElapsedTime(start));
    }

    // Spread over the vocabulary, so that the embedding table is read as text would.
    private static int TokenAt(int index, ModelConfig config) => (int)((300 + (index * 7919L)) % config.Decoder.VocabularySize);
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

    /// <summary>What is done to the decoder's linears, of a preset or a checkpoint.</summary>
    public WeightQuantization Quantization { get; init; }

    /// <summary>Text tokens of the prompt.</summary>
    public int TextTokens { get; init; } = 512;

    /// <summary>Pictures before the text.</summary>
    public int Images { get; init; }

    /// <summary>Decode steps of one sample.</summary>
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
