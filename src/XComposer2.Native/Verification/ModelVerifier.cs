using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Verification;

/// <summary>Compares a checkpoint's results with a golden file made by the original code, stage by stage.</summary>
public static class ModelVerifier
{
    /// <param name="options">What to verify.</param>
    /// <param name="progress">Told each stage as it is done.</param>
    /// <param name="cancellationToken">Looked at between operations.</param>
    /// <exception cref="CheckpointException">The checkpoint or the golden file is damaged, or they do not belong together.</exception>
    /// <exception cref="EngineException">An option is out of range, or the requested device does not work.</exception>
    public static VerificationReport Run(VerificationOptions options, IProgress<StageResult>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        EngineException.ThrowUnless(options.Tolerance is null or >= 0, "tolerance", "a number of 0 or more", options.Tolerance);
        using LoadedModel model = LoadedModel.Open(options.ModelPath, options.Device, options.Quantization);
        ModelMemoryPlan.For(model, EngineSizes.ForOne(model.Config, model.Config.ContextLength), options.Device.Embeddings).RequireFit(model.Backend);
        using var golden = new GoldenFile(options.GoldenPath ?? Path.Combine(options.ModelPath, "golden.safetensors"), model.Config);
        var stages = new List<StageResult>();
        double device = options.Tolerance ?? VerificationTolerance.ForVision(model.Backend, options.Quantization);
        double tolerance = options.Tolerance ?? VerificationTolerance.For(model.Backend, options.Quantization, HasIntegers(model));

        float[] embeds = new VisionVerification(model, golden, new StageLog(stages, progress, device)).Run(cancellationToken);
        using var prompts = new PromptVerification(model, golden, new StageLog(stages, progress, tolerance), embeds);
        foreach (string prompt in PromptVerification.Prompts)
            if (golden.HasPrompt(prompt))
                prompts.Run(prompt, cancellationToken);
        return new VerificationReport(model.Description, model.Backend.Description, tolerance, stages);
    }

    private static bool HasIntegers(LoadedModel model) => WeightFacts.Of(model.Weights, model.Config).QuantizedBytes > 0;
}

/// <summary>What to verify.</summary>
public sealed record VerificationOptions
{
    /// <summary>A published checkpoint folder.</summary>
    public required string ModelPath { get; init; }

    /// <summary>A golden.safetensors; null for the one in the checkpoint folder.</summary>
    public string? GoldenPath { get; init; }

    /// <summary>Where to run.</summary>
    public DeviceOptions Device { get; init; } = new();

    /// <summary>What is quantised while loading; the golden values are of the stored weights.</summary>
    public WeightQuantization Quantization { get; init; }

    /// <summary>Largest relative L2 of a stage that passes; null for what the device's arithmetic and the quantisation allow.</summary>
    public double? Tolerance { get; init; }
}

/// <summary>A finished verification.</summary>
/// <param name="Model">The checkpoint in words.</param>
/// <param name="Device">What it ran on.</param>
/// <param name="Tolerance">Largest relative L2 that passed; with quantised weights the vision stages, which are not quantised, had a smaller one.</param>
/// <param name="Stages">In the order of the network.</param>
public sealed record VerificationReport(string Model, string Device, double Tolerance, IReadOnlyList<StageResult> Stages)
{
    /// <summary>True where there is a stage and all of them passed.</summary>
    public bool Passed => Stages.Count > 0 && Stages.All(stage => stage.Passed);
}

/// <summary>Relative L2 that a stage may be off by at most, by the arithmetic of the device. The golden files were made with fp32 arithmetic on the stored weights.</summary>
internal static class VerificationTolerance
{
    /// <summary>The processor computes as the golden files were made: 16-bit weights widen exactly, so one tolerance serves every weight type. Two
    /// orders of summation of a few thousand fp32 products differ by about 1e-6; the stages of a model add up to some 1e-5 at worst.</summary>
    private const double Processor = 1e-4;

    /// <summary>A GPU with fp32 storage takes reciprocals and exponentials that are good to a few 1e-7 each, and sums in trees of its own.</summary>
    private const double FloatStorage = 1e-3;

    /// <summary>Activations and weights of 8 bits of fraction (bfloat16) are off by 2e-3 each; some dozen roundings a layer add up like their root.</summary>
    private const double HalfStorage = 2e-2;

    /// <summary>The largest of some thousand normal weights is 3 to 4 times their deviation, so a step is 0.03 of it and an error, uniform within half a step,
    /// 0.8 % of a linear's result. Four linears of a layer add up like their root to 2 %, and the residual stream adds layers' errors as it adds layers.
    /// A wrong scale, row or column is off by about 1.</summary>
    private const double Int8 = 5e-2;

    /// <summary>A step of 4 bits by groups of 128 is a third of the deviation of normal weights, and an error 0.1 of a linear's result: ten times that of 8 bits, less
    /// what the stream that is added has of it.</summary>
    private const double Int4 = 0.4;

    /// <summary>Activations in 127 steps of the largest of 32 are off by 0.5 % of a linear's result; the linears of two layers add up to 1.5 %.</summary>
    private const double RoundedActivations = 3e-2;

    /// <summary>The largest of 64 or 128 numbers of a head is 2.5 to 3.5 times their deviation, so int8 keys and values are off by 0.6 to 0.8 % of themselves, and a score as far as
    /// two of its deviations reach: with scores that spread by 2, a weight of the softmax is off by 1.5 %, of a far one by twice as much. Layers add up to 5 %. It is the format's
    /// own error: the processor, which does the rest in F32, is off by 2.9 % in the prompts with pictures of the golden checkpoint, and a GPU with F16 by 3.1 %.</summary>
    private const double Int8Cache = 5e-2;

    /// <summary>Of the decoder's stages.</summary>
    /// <param name="backend">Where they run.</param>
    /// <param name="quantization">What was quantised while loading: the golden values are of the stored weights.</param>
    /// <param name="hasIntegers">Weights are integers, of the checkpoint's own or quantised.</param>
    public static double For(IBackend backend, WeightQuantization quantization, bool hasIntegers)
    {
        double cached = backend.CacheFormat == CacheFormat.Int8 ? Math.Max(Int8Cache, For(backend)) : For(backend);
        if (quantization.IsNone)
            return hasIntegers && backend is CpuBackend { RoundsActivations: true } ? Math.Max(RoundedActivations, cached) : cached;
        return Math.Max(cached, quantization.Linears is { } linears && linears.Elements.ElementBits() < 8 ? Int4 : Int8);
    }

    /// <summary>Of the picture's stages.</summary>
    public static double ForVision(IBackend backend, WeightQuantization quantization) => quantization.Vision is null ? For(backend) : Math.Max(For(backend), Int8);

    /// <summary>Of stages whose weights are as stored.</summary>
    public static double For(IBackend backend) => backend is CpuBackend ? Processor : backend.CacheFormat == CacheFormat.F32 ? FloatStorage : HalfStorage;
}

/// <summary>Position table, every vision layer and the projector, for all pictures of a golden file in one run.</summary>
internal sealed unsafe class VisionVerification(LoadedModel model, GoldenFile golden, StageLog log)
{
    /// <returns>Embeddings of all pictures [images x tokens per image, hidden].</returns>
    public float[] Run(CancellationToken cancellation)
    {
        ModelConfig config = model.Config;
        (int width, int patches, int layers) = (config.Vision.Width, config.TokensPerImage, config.Vision.LayerCount);
        int images = golden.Images;
        ReadOnlySpan<float> pixels = golden.Floats("pixel_values", images, 3, config.ImageSize, config.ImageSize);
        model.Weights.TryGet(ModelTensors.PositionTableName, out HostTensor table);
        log.Compare(
            "position table",
            golden.Floats("position_embedding_resized", patches + 1, width),
            new ReadOnlySpan<float>((void*)table.Data, checked((int)table.Shape.ElementCount)));

        ComputeGraph graph = new ModelGraphs(config, WeightFacts.Of(model.Weights, config), config.ContextLength).Vision.BuildWithStages(new RowCounts(0, 0, images));
        using IBoundGraph bound = model.Backend.Bind(model.Backend.Plan(graph), model.Weights);
        pixels.CopyTo(bound.Floats(bound.Graph.Find(VisionNetwork.Pixels)));
        bound.Run(new RowCounts(0, 0, images), [], cancellation);

        ReadOnlySpan<float> states = golden.Floats("vit_hidden_states", layers + 1, images, patches + 1, width);
        int stateLength = images * (patches + 1) * width;
        for (int layer = 0; layer <= layers; layer++)
            log.Compare(
                layer == 0 ? "vision: input of layer 1" : $"vision: layer {layer}",
                states.Slice(layer * stateLength, stateLength),
                bound.Output(bound.Graph.Find(VisionNetwork.HiddenState(layer))));
        log.Compare("vision: features", golden.Floats("image_features", images, patches, width), bound.Output(bound.Graph.Find(VisionNetwork.ImageFeatures)));
        float[] embeds = bound.Output(bound.Graph.Find(VisionNetwork.ImageEmbeds)).ToArray();
        log.Compare("projector", golden.Floats("image_embeds", images, patches, config.Decoder.HiddenSize), embeds);
        return embeds;
    }
}
