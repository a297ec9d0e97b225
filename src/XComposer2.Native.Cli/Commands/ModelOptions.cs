using System.CommandLine;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>Options that several commands have, made in one place so that they mean the same everywhere.</summary>
internal static class ModelOptions
{
    /// <summary>These options in the help page of a command that runs a model.</summary>
    public const string HelpLines = """
          -m, --model DIR          a checkpoint folder (else $XC2_MODEL, else the demo)
          --adapter DIR            a LoRA adapter (PEFT) to merge; repeat for more
          -d, --device auto|cpu|cuda
                                   where to run (auto: a GPU where one works)
          --storage bf16|f16       type of weights on a GPU (the checkpoint's own)
          --embeddings device|host where a GPU finds the token embeddings (device)
          --weights stored|int8|int4
                                   int8 and int4: the decoder's linears take a half or
                                   a quarter of the memory and less time, and are less
                                   exact; int4 makes all the parts below int8 (stored)
          --group 32|64|128        columns that share a scale (int4: 128; int8: all)
          --head stored|int8|int4  the head
          --plora stored|int8      Partial LoRA, which pictures need (stored)
          --vision stored|int8     vision tower and projector (stored)
          --embedding-weights stored|int8
                                   token embeddings (stored)
          --cache f32|bf16|f16|int8
                                   keys and values (CPU: f32; GPU: as --storage, or
                                   int8)
          --sums f32|f16           GPU: f16 reads prompts faster on consumer cards, with
                                   --storage f16, and is less exact (f32)
          --activations int8|float CPU: int8 rounds what int8 and int4 weights are
                                   multiplied with, float does not and is slower (int8)
          --loading mapped|memory  memory: weight files are read into memory, and may
                                   change afterwards (mapped)
          --threads N              CPU threads, 1 to 1024 (one per processor)
          --context N              longest sequence in tokens (the longest prompt of the
                                   checkpoint, and its answer)
        """;

    /// <summary>The option of commands that fit a model to a GPU, in their help pages.</summary>
    public const string FitHelpLines = """
          --fit, --no-fit          on a GPU without enough free memory: change places
                                   and formats of weights, cache and context until
                                   the model fits, and say how (on, unless --weights
                                   is given; a chosen --cache and --context stay)
        """;

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
        ParseResult result, Option<DeviceKind?> device, Option<int?> threads, Option<DType?> storage, Option<EmbeddingPlace?>? embeddings = null,
        Option<ActivationPrecision?>? activations = null, Option<CacheFormat?>? cache = null, Option<SumPrecision?>? sums = null)
    {
        ArgumentNullException.ThrowIfNull(result);
        return new DeviceOptions
        {
            Kind = result.GetValue(device) ?? DeviceKind.Auto,
            Threads = result.GetValue(threads),
            Storage = result.GetValue(storage),
            Embeddings = (embeddings is null ? null : result.GetValue(embeddings)) ?? EmbeddingPlace.Device,
            Cache = cache is null ? null : result.GetValue(cache),
            HalfSums = sums is not null && result.GetValue(sums) == SumPrecision.F16,
            Activations = (activations is null ? null : result.GetValue(activations)) ?? ActivationPrecision.Int8,
        };
    }

    /// <summary>Whether a GPU without enough memory gets a smaller form of the model.</summary>
    public static (Option<bool> Fit, Option<bool> NoFit) Fit() => (CheckedOption.Flag("--fit"), CheckedOption.Flag("--no-fit"));

    /// <exception cref="UsageException">Both are given.</exception>
    public static bool FitOf(ParseResult result, (Option<bool> Fit, Option<bool> NoFit) options, bool isWeightChosen)
    {
        ArgumentNullException.ThrowIfNull(result);
        (bool fit, bool noFit) = (result.GetValue(options.Fit), result.GetValue(options.NoFit));
        return fit && noFit ? throw new UsageException("--fit and --no-fit exclude each other") : fit || (!noFit && !isWeightChosen);
    }

    public static Option<int?> Threads() => CheckedOption.Integer("--threads", 1, 1024);

    public static Option<int?> Context() => CheckedOption.Integer("--context", 1);

    /// <summary>Activations that the processor multiplies weights of integers with.</summary>
    public static Option<ActivationPrecision?> Activations() => CheckedOption.Choice("--activations", ("int8", ActivationPrecision.Int8), ("float", ActivationPrecision.Float));

    /// <summary>Format of the key/value cache.</summary>
    public static Option<CacheFormat?> Cache() => CheckedOption.Choice(
        "--cache", ("f32", CacheFormat.F32), ("bf16", CacheFormat.BF16), ("f16", CacheFormat.F16), ("int8", CacheFormat.Int8));

    /// <summary>How a GPU adds products of prompts.</summary>
    public static Option<SumPrecision?> Sums() => CheckedOption.Choice("--sums", ("f32", SumPrecision.F32), ("f16", SumPrecision.F16));

    /// <summary>The checkpoint that is meant where no preset is named; null where one is.</summary>
    /// <exception cref="UsageException">Both are named, or neither is and there is no demo.</exception>
    public static string? Choose(string? model, string? preset, CliServices services)
    {
        if (preset is null)
            return ModelFolder.Choose(model, services.Variable, AppContext.BaseDirectory).Path;
        return model is null ? null : throw new UsageException("--model and --preset exclude each other");
    }
}

/// <summary>Sums of products of prompts and pictures.</summary>
internal enum SumPrecision
{
    /// <summary>All of them in F32.</summary>
    F32,

    /// <summary>Of 32 products in F16.</summary>
    F16,
}
