using System.Globalization;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Training;

/// <summary>What is trained, and how fast.</summary>
public sealed record TrainingRecipe
{
    /// <summary>The paper's pre-training: the language model is frozen; vision tower, projector and Partial LoRA learn.</summary>
    public static TrainingRecipe Pretrain { get; } = new() { Name = "pretrain", Rate = 2e-4, WeightDecay = 0.05, VisionDecay = 0.9, LanguageScale = 0 };

    /// <summary>The paper's supervised fine-tuning: all of it learns, the language model at a fifth of the rate.</summary>
    public static TrainingRecipe SupervisedFineTuning { get; } = new() { Name = "sft", Rate = 5e-5, WeightDecay = 0.05, VisionDecay = 0.9, LanguageScale = 0.2 };

    /// <summary>The published script: all but the vision tower.</summary>
    public static TrainingRecipe FineTune { get; } = new() { Name = "finetune", Rate = 1e-5, WeightDecay = 0.1, HasFrozenVision = true };

    /// <summary>The published script with an adapter around each of the decoder's linears; the model itself is frozen.</summary>
    public static TrainingRecipe Lora { get; } = new() { Name = "lora", Rate = 5e-5, WeightDecay = 0.1, Adapter = new AdapterSettings(64, 64, 0.05f) };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<TrainingRecipe> All => [Pretrain, SupervisedFineTuning, FineTune, Lora];

    /// <summary>As in commands.</summary>
    public required string Name { get; init; }

    /// <summary>Highest learning rate.</summary>
    public required double Rate { get; init; }

    /// <summary>Of matrices; vectors have none.</summary>
    public required double WeightDecay { get; init; }

    /// <summary>The rate of a vision layer is so much of the next one's.</summary>
    public double VisionDecay { get; init; } = 1;

    /// <summary>Share of the rate that the language model has, without Partial LoRA; 0 freezes it.</summary>
    public double LanguageScale { get; init; } = 1;

    /// <summary>The vision tower is frozen.</summary>
    public bool HasFrozenVision { get; init; }

    /// <summary>Projector and Partial LoRA are frozen.</summary>
    public bool HasFrozenAlignment { get; init; }

    /// <summary>Adapters are trained, and nothing else; null for none.</summary>
    public AdapterSettings? Adapter { get; init; }

    /// <summary>Largest norm of a step's gradients.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Constants of AdamW.</summary>
    public AdamWSettings Optimiser { get; init; } = new(0.9, 0.95, 1e-8);

    /// <summary>How far a weight of the model moves at the highest rate; null for a frozen one.</summary>
    /// <param name="name">Of the weight.</param>
    /// <param name="shape">Of the weight.</param>
    /// <param name="visionLayers">Layers of the vision tower.</param>
    public ParameterRate? RateOf(string name, Shape shape, int visionLayers)
    {
        ArgumentNullException.ThrowIfNull(name);
        double decay = shape.Rank > 1 ? WeightDecay : 0;
        if (AdapterSettings.IsAdapter(name))
            return Adapter is null ? null : new ParameterRate(Rate, decay);
        if (Adapter is not null)
            return null;
        switch (ModelTensors.KindOf(name))
        {
            case TensorKind.Vision:
                return HasFrozenVision ? null : new ParameterRate(Rate * Math.Pow(VisionDecay, visionLayers - VisionLayerOf(name)), decay);
            case TensorKind.Projector or TensorKind.PartialLora:
                return HasFrozenAlignment ? null : new ParameterRate(Rate, decay);
            default:
                return LanguageScale == 0 ? null : new ParameterRate(Rate * LanguageScale, decay);
        }
    }

    /// <summary>What is trained of a model, in the order of its weights, each followed by its adapter.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="shapeOf">Shape of a weight as graphs have it.</param>
    public IEnumerable<(ParameterSpec Spec, ParameterRate Rate)> Parameters(ModelConfig config, Func<ExpectedTensor, Shape> shapeOf)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(shapeOf);
        foreach (ExpectedTensor expected in ModelTensors.Expected(config))
        {
            Shape shape = shapeOf(expected);
            if (RateOf(expected.Name, shape, config.Vision.LayerCount) is { } rate)
                yield return (new ParameterSpec(expected.Name, shape), rate);
            if (Adapter?.Of(expected.Name) is not { } adapter)
                continue;
            var a = new Shape(adapter.Rank, shape[1]);
            var b = new Shape(shape[0], adapter.Rank);
            yield return (new ParameterSpec(adapter.A, a), RateOf(adapter.A, a, 0)!.Value);
            yield return (new ParameterSpec(adapter.B, b), RateOf(adapter.B, b, 0)!.Value);
        }
    }

    // Embeddings and the first norm are 0, the first layer 1.
    private static int VisionLayerOf(string name)
    {
        const string Layers = "encoder.layers.";
        int at = name.IndexOf(Layers, StringComparison.Ordinal);
        if (at < 0)
            return 0;
        ReadOnlySpan<char> rest = name.AsSpan(at + Layers.Length);
        return int.Parse(rest[..rest.IndexOf('.')], NumberStyles.None, CultureInfo.InvariantCulture) + 1;
    }
}

/// <summary>Low-rank adapters of the decoder's linears, as PEFT names them.</summary>
/// <param name="Rank">Rank.</param>
/// <param name="Alpha">The addition is scaled by alpha / rank.</param>
/// <param name="Dropout">Share of the inputs of A that are dropped in training.</param>
public sealed record AdapterSettings(int Rank, double Alpha, float Dropout = 0)
{
    private const string Prefix = "base_model.model.", A = ".lora_A.weight", B = ".lora_B.weight", Weight = ".weight";

    /// <summary>Linears that have an adapter.</summary>
    public static IReadOnlyList<string> Modules { get; } = ["attention.wqkv", "attention.wo", "feed_forward.w1", "feed_forward.w2", "feed_forward.w3"];

    /// <summary>Whether a weight is a part of an adapter.</summary>
    public static bool IsAdapter(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.StartsWith(Prefix, StringComparison.Ordinal);
    }

    /// <summary>The adapter of a weight; null for one that has none.</summary>
    public LowRankAdapter? Of(string weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (!weight.StartsWith("model.layers.", StringComparison.Ordinal) || !Modules.Any(module => weight.EndsWith("." + module + Weight, StringComparison.Ordinal)))
            return null;
        string name = Prefix + weight[..^Weight.Length];
        return new LowRankAdapter(name + A, name + B, Rank, (float)(Alpha / Rank), Dropout);
    }
}

/// <summary>The share of the highest rate in each step: a linear warm-up, then a cosine down to 0.</summary>
/// <param name="Steps">All steps.</param>
/// <param name="WarmUpSteps">The first so many.</param>
public readonly record struct RateSchedule(int Steps, int WarmUpSteps)
{
    /// <summary>With a warm-up of 1 % of the steps, and at least one.</summary>
    public static RateSchedule For(int steps) => new(steps, Math.Max(1, (int)Math.Round(steps * 0.01)));

    /// <param name="step">0 for the first one.</param>
    public double FactorAt(int step) => step < WarmUpSteps
        ? (step + 1) / (double)WarmUpSteps
        : 0.5 + (0.5 * Math.Cos(Math.PI * (step - WarmUpSteps) / (Steps - WarmUpSteps)));
}
