using System.Buffers.Binary;
using System.CommandLine;
using System.Text.Json;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 bench</c>.</summary>
internal static class BenchCommand
{
    public const string HelpPage = """
        Usage: xc2 bench prefill|decode|ttft|load|kernels [options]

        Times the model: prompts and pictures (prefill), generated tokens (decode),
        the time to the first token about an encoded picture (ttft); of a published
        model with random weights, or of a checkpoint. load times a checkpoint until
        the engine is ready. Medians of several samples; the first one warms up and
        is not counted. The GPU's kernels one by one: xc2 bench kernels --help.

          --preset NAME          internlm-xcomposer2-vl-7b, internlm-xcomposer2-7b or
                                 internlm-xcomposer2-vl-1_8b
          --layers N             decoder layers of the preset (all)
          --weights stored|int8|int4
                                 int8, int4: the decoder's linears quantised while
                                 loading, with int4 all other parts, to int8;
                                 or the type of a preset's weights, which are bf16
                                 as stored: bf16, f16, f32
          --group 32|64|128      columns that share a scale (int4: 128; int8: all)
          --head stored|int8|int4, --plora, --vision stored|int8,
          --embedding-weights stored|int8
                                 the head; Partial LoRA; vision tower and projector;
                                 token embeddings
          --cache f32|bf16|f16|int8 keys and values (CPU: f32; GPU: as --storage)
          --sums f32|f16         GPU: sums of prompts (f32)
          --activations int8|float CPU: what int8 and int4 weights are multiplied
                                 with (int8)
          --model DIR            a checkpoint folder instead of a preset
          --tokens N             text tokens of the prompt (512; ttft: 75)
          --images N             pictures before the text (0; ttft: 1)
          --image FILE           ttft: the picture (a bitmap of 640 x 480)
          --sequences N          answers generated together, 1 to 64 (1)
          --beams N              beams of each answer, 1 to 8 (1)
          --steps N              decode steps of one sample (64)
          --samples N            samples (5)
          --device auto|cpu|cuda where to run (auto: a GPU where one works)
          --storage bf16|f16|f32 type of weights on a GPU (that of the weights)
          --embeddings device|host where a GPU finds the token embeddings (device)
          --threads N            CPU threads, 1 to 1024 (one per processor)
          --json                 one JSON object instead of text
          --verbose              stack traces of errors

        Examples
          xc2 bench prefill --preset internlm-xcomposer2-vl-1_8b --images 1 --tokens 64
          xc2 bench decode --preset internlm-xcomposer2-vl-7b --layers 4 --weights int8
          xc2 bench ttft --preset internlm-xcomposer2-vl-1_8b --image photo.jpg
        """;

    private enum Kind
    {
        Prefill,
        Decode,
        FirstToken,
        Load,
    }

    private const int MaximumTokens = 1 << 20, MaximumLayers = 1024;

    public static Command Create(CliServices services) => new DocumentedCommand("bench", HelpPage)
    {
        CreateKind("prefill", services, Kind.Prefill),
        CreateKind("decode", services, Kind.Decode),
        CreateKind("ttft", services, Kind.FirstToken),
        CreateKind("load", services, Kind.Load),
        BenchKernelsCommand.Create(services),
    };

    private static DocumentedCommand CreateKind(string name, CliServices services, Kind kind)
    {
        Option<string?> model = ModelOptions.Model();
        Option<string?> preset = ModelOptions.Preset();
        Option<int?> layers = CheckedOption.Integer("--layers", 1, MaximumLayers);
        WeightOptions weights = new(hasTypes: true);
        Option<int?> tokens = CheckedOption.Integer("--tokens", 1, MaximumTokens);
        Option<int?> images = CheckedOption.Integer("--images", 0, 1000);
        Option<int?> sequences = CheckedOption.Integer("--sequences", 1, 64);
        Option<int?> beams = CheckedOption.Of("--beams", BeamOptions.Count);
        Option<int?> steps = CheckedOption.Integer("--steps", 1, MaximumTokens);
        Option<int?> samples = CheckedOption.Integer("--samples", 1, 1000);
        Option<DeviceKind?> device = ModelOptions.Device();
        Option<DType?> storage = ModelOptions.Storage();
        Option<ActivationPrecision?> activations = ModelOptions.Activations();
        Option<CacheFormat?> cache = ModelOptions.Cache();
        Option<SumPrecision?> sums = ModelOptions.Sums();
        Option<EmbeddingPlace?> embeddings = ModelOptions.Embeddings();
        Option<int?> threads = ModelOptions.Threads();
        Option<bool> json = CheckedOption.Flag("--json");
        Option<string?> image = new("--image");
        DocumentedCommand command = new(name, HelpPage) { model, samples, device, storage, embeddings, activations, cache, sums, threads, json };
        Option[] sizes = [preset, layers, tokens, images, sequences, beams];
        foreach (Option option in (Option[])[.. kind == Kind.Load ? [] : sizes, .. kind == Kind.Decode ? [steps] : (Option[])[], .. kind == Kind.FirstToken ? [image] : (Option[])[]])
            command.Add(option);
        weights.AddTo(command);
        command.SetAction((result, cancellationToken) =>
        {
            string? path = ModelOptions.Choose(result.GetValue(model), result.GetValue(preset), services);
            WeightChoice chosen = weights.Read(result);
            chosen.RequireFit(path);
            SpeedOptions defaults = kind == Kind.FirstToken ? new() { TextTokens = 75, Images = 1 } : new();
            SpeedOptions options = new()
            {
                ModelPath = path,
                Preset = result.GetValue(preset),
                Layers = result.GetValue(layers),
                Weights = chosen.Type ?? defaults.Weights,
                Quantization = chosen.Quantization,
                TextTokens = result.GetValue(tokens) ?? defaults.TextTokens,
                Images = result.GetValue(images) ?? defaults.Images,
                Sequences = result.GetValue(sequences) ?? defaults.Sequences,
                Beams = kind == Kind.Load ? defaults.Beams : result.GetValue(beams) ?? defaults.Beams,
                DecodeSteps = kind == Kind.Decode ? result.GetValue(steps) ?? defaults.DecodeSteps : 0,
                // A plain null would be that of an array, and become an empty picture.
                Picture = kind == Kind.FirstToken ? result.GetValue(image) is { } file ? PictureFile.Read(file, cancellationToken) : Bitmap() : default(ReadOnlyMemory<byte>?),
                Samples = result.GetValue(samples) ?? defaults.Samples,
                Device = ModelOptions.DeviceOf(result, device, threads, storage, embeddings, activations, cache, sums),
            };
            return RunAsync(services.Console, kind, options, result.GetValue(json), cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(CliConsole console, Kind kind, SpeedOptions options, bool json, CancellationToken cancellationToken)
    {
        if (options.Device.Kind != DeviceKind.Cuda)
            RequireMemory(options);
        SpeedResult speed = await console.WaitAsync(
            "measuring",
            Task.Run(
                () => kind == Kind.Load ? SpeedMeasurement.RunLoadsAsync(options, null, cancellationToken) : Task.FromResult(SpeedMeasurement.Run(options, null, cancellationToken)),
                CancellationToken.None)).ConfigureAwait(false);
        if (json)
            console.Out.WriteLine(JsonSerializer.Serialize(SpeedJson.Of(speed), CliJson.Lines.SpeedJson));
        else
            new SpeedText(console.RichOut()).Write(speed);
        return ExitCode.Done;
    }

    /// <summary>Random weights of a preset are all in memory; those of a checkpoint are mapped.</summary>
    /// <exception cref="EngineException">The weights do not fit into memory; the message states the numbers.</exception>
    private static void RequireMemory(SpeedOptions options)
    {
        if (options.Preset is not { } preset || !ModelPresets.Names.Contains(preset))
            return;
        ModelConfig config = ModelPresets.Find(preset);
        ModelConfig measured = options.Layers is { } layers ? config.WithLayers(layers) : config;
        long weightBytes = ModelTensors.Expected(measured).Sum(tensor => tensor.Shape.ElementCount) * options.Weights.ElementBytes();
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (weightBytes > available)
            throw new EngineException($"{preset} with random {options.Weights} weights needs {InspectionText.Size(weightBytes)} for them, this machine has {InspectionText.Size(available)}; fewer --layers or smaller --weights need less");
    }

    // 24 bits a pixel, from the bottom up, a gradient: nothing of it is on the disk.
    private static byte[] Bitmap()
    {
        const int Width = 640, Height = 480, HeaderBytes = 54;
        byte[] file = new byte[HeaderBytes + (3 * Width * Height)];
        "BM"u8.CopyTo(file);
        foreach ((int offset, int value) in new[] { (2, file.Length), (10, HeaderBytes), (14, 40), (18, Width), (22, Height), (26, 1 | (24 << 16)) })
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(offset), value);
        for (int i = HeaderBytes; i < file.Length; i++)
            file[i] = (byte)((i / 3 % Width) + (i / 3 / Width));
        return file;
    }
}
