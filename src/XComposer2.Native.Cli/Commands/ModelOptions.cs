using System.CommandLine;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>Options that several commands have, made in one place so that they mean the same everywhere.</summary>
internal static class ModelOptions
{
    public static Option<string?> Model() => new("--model", "-m");

    /// <summary>LoRA adapters to merge while loading.</summary>
    public static Option<string[]> Adapters() => new("--adapter") { Arity = ArgumentArity.OneOrMore };

    /// <summary>How weight files are used.</summary>
    public static Option<WeightLoading?> Loading() => CheckedOption.Choice("--loading", ("mapped", WeightLoading.Mapped), ("memory", WeightLoading.Memory));

    public static Option<string?> Preset() => new("--preset");

    public static Option<DeviceKind?> Device() => CheckedOption.ChoiceWithAlias("--device", ["-d"], ("auto", DeviceKind.Auto), ("cpu", DeviceKind.Cpu), ("cuda", DeviceKind.Cuda));

    /// <summary>Type of weights and activations on a GPU.</summary>
    public static Option<DType?> Storage() => CheckedOption.Choice("--storage", ("bf16", DType.BF16), ("f16", DType.F16), ("f32", DType.F32));

    /// <summary>Where a GPU finds the token embeddings.</summary>
    public static Option<EmbeddingPlace?> Embeddings() => CheckedOption.Choice("--embeddings", ("device", EmbeddingPlace.Device), ("host", EmbeddingPlace.Host));

    /// <summary>Handling of the EXIF orientation.</summary>
    public static Option<ExifOrientation?> Exif() => CheckedOption.Choice("--exif", ("apply", ExifOrientation.Apply), ("ignore", ExifOrientation.Ignore));

    /// <summary>What the options say together.</summary>
    public static DeviceOptions DeviceOf(
        ParseResult result, Option<DeviceKind?> device, Option<int?> threads, Option<DType?> storage, Option<EmbeddingPlace?>? embeddings = null)
    {
        ArgumentNullException.ThrowIfNull(result);
        return new DeviceOptions
        {
            Kind = result.GetValue(device) ?? DeviceKind.Auto,
            Threads = result.GetValue(threads),
            Storage = result.GetValue(storage),
            Embeddings = (embeddings is null ? null : result.GetValue(embeddings)) ?? EmbeddingPlace.Device,
        };
    }

    public static Option<int?> Threads() => CheckedOption.Integer("--threads", 1, 1024);

    public static Option<int?> Context() => CheckedOption.Integer("--context", 1);

    /// <summary>What is done to a checkpoint's weights.</summary>
    public static Option<WeightQuantization?> Weights() =>
        CheckedOption.Choice("--weights", ("stored", WeightQuantization.None), ("int8", WeightQuantization.Int8));

    /// <summary>The same, or the type of a preset's weights.</summary>
    public static Option<WeightChoice?> PresetWeights() => CheckedOption.Choice(
        "--weights",
        ("stored", new WeightChoice(null, WeightQuantization.None)),
        ("int8", new WeightChoice(null, WeightQuantization.Int8)),
        ("bf16", new WeightChoice(DType.BF16, WeightQuantization.None)),
        ("f16", new WeightChoice(DType.F16, WeightQuantization.None)),
        ("f32", new WeightChoice(DType.F32, WeightQuantization.None)));

    /// <summary>The checkpoint that is meant where no preset is named; null where one is.</summary>
    /// <exception cref="UsageException">Both are named, or neither is and there is no demo.</exception>
    public static string? Choose(string? model, string? preset, CliServices services)
    {
        if (preset is null)
            return ModelFolder.Choose(model, services.Variable, AppContext.BaseDirectory).Path;
        return model is null ? null : throw new UsageException("--model and --preset exclude each other");
    }
}

/// <summary>What <c>--weights</c> says where a preset may stand for the model.</summary>
/// <param name="Type">Of the preset's random weights; null where it is not said.</param>
/// <param name="Quantization">What is done to the decoder's linears.</param>
internal readonly record struct WeightChoice(DType? Type, WeightQuantization Quantization)
{
    /// <exception cref="UsageException">A checkpoint is meant, whose weights have the type that they have.</exception>
    public void RequireFit(string? checkpointPath)
    {
        if (checkpointPath is not null && Type is { } type)
            throw new UsageException($"--weights {type.ToString().ToLowerInvariant()} is for a preset; a checkpoint's weights are stored or int8");
    }
}
