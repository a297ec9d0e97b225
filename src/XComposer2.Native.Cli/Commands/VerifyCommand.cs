using System.CommandLine;
using System.Text.Json;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 verify</c>.</summary>
internal static class VerifyCommand
{
    public const string HelpPage = """
        Usage: xc2 verify [options]

        Runs a checkpoint on the inputs of a golden file, which the original code made,
        and compares every stage: position table, vision layers, projector, decoder
        layers, logits, greedy ids. Exit status 1 when a stage is out of tolerance.

          -m, --model DIR     a checkpoint folder (else $XC2_MODEL, else the small one
                              of the repository, tests/golden/checkpoint)
          --golden FILE       the golden file (golden.safetensors in the folder);
                              tools/golden makes one from published weights
          -d, --device auto|cpu|cuda
                              where to run (auto: a GPU where one works)
          --storage bf16|f16|f32
                              type of weights on a GPU (the checkpoint's own)
          --weights stored|int8|int4
                              int8, int4: the decoder's linears quantised while
                              loading; int4 all other parts, to int8
          --group 32|64|128   columns that share a scale (int4: 128; int8: the row)
          --head stored|int8|int4, --plora, --vision stored|int8,
          --embedding-weights stored|int8
                              the head; Partial LoRA; vision tower and projector;
                              token embeddings
          --cache f32|bf16|f16|int8
                              keys and values (CPU: f32; GPU: as --storage, or int8)
          --sums f32|f16      GPU: f16 for consumer cards, with --storage f16 (f32)
          --activations int8|float
                              CPU: what int8 and int4 weights are multiplied with
          --threads N         CPU threads, 1 to 1024 (one per processor)
          --tolerance T       largest relative L2 of a stage, over 0 (0.0001; on a
                              GPU 0.02 with 16-bit storage, 0.001 with f32; of the
                              decoder 0.05 with int8, 0.4 with int4 weights, and
                              0.03 of stored integers on a CPU)
          --json              one JSON object instead of text
          --verbose           stack traces of errors

        Examples
          xc2 verify
          xc2 verify --model ./my-port --golden ./golden.safetensors
          xc2 verify --model ./my-port --weights int8 --json
        """;

    public static Command Create(CliServices services)
    {
        Option<string?> model = ModelOptions.Model();
        Option<string?> golden = new("--golden");
        Option<DeviceKind?> device = ModelOptions.Device();
        Option<int?> threads = ModelOptions.Threads();
        Option<DType?> storage = ModelOptions.Storage();
        WeightOptions weights = new();
        Option<ActivationPrecision?> activations = ModelOptions.Activations();
        Option<CacheFormat?> cache = ModelOptions.Cache();
        Option<SumPrecision?> sums = ModelOptions.Sums();
        Option<float?> tolerance = CheckedOption.Positive("--tolerance");
        Option<bool> json = CheckedOption.Flag("--json");
        DocumentedCommand command = new("verify", HelpPage) { model, golden, device, storage, activations, cache, sums, threads, tolerance, json };
        weights.AddTo(command);
        command.SetAction((result, cancellationToken) =>
        {
            VerificationOptions options = new()
            {
                ModelPath = ChooseModel(result.GetValue(model), result.GetValue(golden), services),
                GoldenPath = result.GetValue(golden),
                Device = ModelOptions.DeviceOf(result, device, threads, storage, activations: activations, cache: cache, sums: sums),
                Quantization = weights.Read(result).Quantization,
                Tolerance = result.GetValue(tolerance),
            };
            return RunAsync(services.Console, options, result.GetValue(json), cancellationToken);
        });
        return command;
    }

    /// <summary>A golden file without a model belongs to the demo, which has none of its own.</summary>
    private static string ChooseModel(string? model, string? golden, CliServices services)
    {
        bool isNamed = model is not null || golden is not null || services.Variable(ModelFolder.VariableName) is { Length: > 0 };
        return isNamed ? ModelOptions.Choose(model, null, services)! : ModelFolder.FindSmallest(AppContext.BaseDirectory)
            ?? throw new UsageException($"no model: set --model or {ModelFolder.VariableName} to a checkpoint folder with a golden.safetensors, or use a clone of the repository");
    }

    private static async Task<int> RunAsync(CliConsole console, VerificationOptions options, bool json, CancellationToken cancellationToken)
    {
        VerificationText text = new(console.RichOut());
        IProgress<StageResult>? progress = json ? null : text;
        VerificationReport report = await console.WaitAsync(
            "verifying", Task.Run(() => ModelVerifier.Run(options, progress, cancellationToken), CancellationToken.None)).ConfigureAwait(false);
        if (json)
            console.Out.WriteLine(JsonSerializer.Serialize(VerificationJson.Of(report), CliJson.Lines.VerificationJson));
        else
            text.WriteVerdict(report);
        return report.Passed ? ExitCode.Done : ExitCode.Failed;
    }
}
