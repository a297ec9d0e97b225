using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 quantize</c>.</summary>
internal static class QuantizeCommand
{
    public const string HelpPage = """
        Usage: xc2 quantize --weights int8|int4 --out DIR [options]

        Writes a checkpoint with weights of integers: safetensors, a manifest with
        checksums (xc2-weights.json), config.json and the tokenizer. Every command takes
        the folder as --model. One decoder layer is in memory at a time; a run that was
        stopped goes on where it was; what was written is compared with the source.

          -m, --model DIR    a checkpoint folder (else $XC2_MODEL, else the demo)
          --out DIR          a new folder, or that of a run that was stopped
          --weights stored|int8|int4
                             the decoder's linears; int4 makes head and vision int8
          --group 32|64|128  columns that share a scale (int4: 128; int8: the row)
          --head stored|int8, --plora stored|int8, --vision stored|int8
                             the head; Partial LoRA; vision tower and projector
          --no-verify        do not compare answers with those of the source
          --threads N        CPU threads of the comparison (one per processor)
          --json             one JSON object instead of text
          --verbose          stack traces of errors

        Examples
          xc2 quantize --model ./my-7b --weights int4 --out my-7b-int4
          xc2 quantize --weights int4 --group 32 --plora int8 --out small
        """;

    public static Command Create(CliServices services)
    {
        Option<string?> model = ModelOptions.Model();
        Option<string?> output = new("--out", "-o");
        WeightOptions weights = new();
        Option<bool> noVerify = CheckedOption.Flag("--no-verify");
        Option<int?> threads = ModelOptions.Threads();
        Option<bool> json = CheckedOption.Flag("--json");
        DocumentedCommand command = new("quantize", HelpPage) { model, output, noVerify, threads, json };
        weights.AddTo(command);
        command.SetAction((result, cancellationToken) =>
        {
            string folder = result.GetValue(output) ?? throw new UsageException("--out is missing: the folder to write");
            WeightQuantization quantization = weights.Read(result).Quantization;
            if (quantization.IsNone)
                throw new UsageException("nothing to quantise: --weights must be int8 or int4, or --head, --plora or --vision int8");
            string path = ModelFolder.Choose(result.GetValue(model), services.Variable, AppContext.BaseDirectory).Path;
            DeviceOptions device = new() { Kind = DeviceKind.Cpu, Threads = result.GetValue(threads) };
            return RunAsync(services.Console, new QuantizationJob(path, folder, quantization), result.GetValue(noVerify) ? null : device, result.GetValue(json), cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(CliConsole console, QuantizationJob job, DeviceOptions? device, bool json, CancellationToken cancellationToken)
    {
        QuantizationWatch watch = new();
        IntegerManifest manifest = await console.WaitAsync(
            () => watch.Status, Task.Run(() => CheckpointQuantizer.Run(job, watch, cancellationToken), CancellationToken.None)).ConfigureAwait(false);
        IReadOnlyList<PromptAgreement> agreements = device is null ? [] : await console.WaitAsync(
            "comparing with the source", Task.Run(() => QuantizationComparison.Run(job.Model, job.Output, device, null, cancellationToken), CancellationToken.None)).ConfigureAwait(false);
        QuantizationJson report = QuantizationJson.Of(job, manifest, agreements);
        if (json)
            console.Out.WriteLine(JsonSerializer.Serialize(report, CliJson.Lines.QuantizationJson));
        else
            QuantizationText.Write(console, report);
        return ExitCode.Done;
    }
}

/// <summary>The live line of a run: what is done, and how long the rest will take.</summary>
internal sealed class QuantizationWatch : IProgress<QuantizationProgress>
{
    private readonly long started = Stopwatch.GetTimestamp();
    private long takenBytes;
    private volatile string status = "quantising";

    public string Status => status;

    public void Report(QuantizationProgress value)
    {
        if (value.IsTaken)
            takenBytes = value.DoneBytes;
        long made = value.DoneBytes - takenBytes;
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds, left = made > 0 ? seconds * (value.TotalBytes - value.DoneBytes) / made : 0;
        status = string.Create(CultureInfo.InvariantCulture, $"quantising, {100.0 * value.DoneBytes / Math.Max(1, value.TotalBytes):f0} %{(made > 0 ? $", about {TimeSpan.FromSeconds(Math.Ceiling(left))} left" : "")}");
    }
}
