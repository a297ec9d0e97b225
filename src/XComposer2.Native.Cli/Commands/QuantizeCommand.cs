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
                             the decoder's linears; int4 makes the other parts int8
          --group 32|64|128  columns that share a scale (int4: 128; int8: the row)
          --head stored|int8|int4, --plora, --vision stored|int8,
          --embedding-weights stored|int8
                             the head; Partial LoRA; vision tower and projector;
                             token embeddings
          --method rtn|awq|gptq
                             how the linears are rounded: to nearest; to nearest after
                             scaling columns by powers of two; or by columns, each
                             making up for those before it (rtn)
          --calibration FILE texts for awq and gptq, one in each line; words like
                             @cat.png name pictures (built-in texts and pictures)
          --act-order        gptq: columns of large inputs first
          --no-verify        do not compare answers with those of the source
          --threads N        CPU threads of the comparison (one per processor)
          --json             one JSON object instead of text
          --verbose          stack traces of errors

        Examples
          xc2 quantize --model ./my-7b --weights int4 --out my-7b-int4
          xc2 quantize --weights int4 --group 32 --plora stored --out small
          xc2 quantize --model ./my-7b --weights int4 --method gptq --out my-7b-gptq
        """;

    public static Command Create(CliServices services)
    {
        Option<string?> model = ModelOptions.Model();
        Option<string?> output = new("--out", "-o");
        WeightOptions weights = new();
        Option<QuantizationMethod?> method = CheckedOption.Choice(
            "--method", ("rtn", QuantizationMethod.RoundToNearest), ("awq", QuantizationMethod.ActivationAware), ("gptq", QuantizationMethod.ErrorFeedback));
        Option<string?> calibration = new("--calibration");
        Option<bool> actOrder = CheckedOption.Flag("--act-order");
        Option<bool> noVerify = CheckedOption.Flag("--no-verify");
        Option<int?> threads = ModelOptions.Threads();
        Option<bool> json = CheckedOption.Flag("--json");
        DocumentedCommand command = new("quantize", HelpPage) { model, output, method, calibration, actOrder, noVerify, threads, json };
        weights.AddTo(command);
        command.SetAction((result, cancellationToken) =>
        {
            string folder = result.GetValue(output) ?? throw new UsageException("--out is missing: the folder to write");
            WeightQuantization quantization = weights.Read(result).Quantization;
            if (quantization.IsNone)
                throw new UsageException("nothing to quantise: --weights must be int8 or int4, or --head, --plora or --vision int8");
            string path = ModelFolder.Choose(result.GetValue(model), services.Variable, AppContext.BaseDirectory).Path;
            QuantizationMethod chosen = result.GetValue(method) ?? QuantizationMethod.RoundToNearest;
            string? samples = result.GetValue(calibration);
            if (chosen != QuantizationMethod.RoundToNearest && quantization.Linears is null)
                throw new UsageException($"--method {chosen.Word()} is for --weights int8 or int4");
            if (chosen == QuantizationMethod.RoundToNearest && samples is not null)
                throw new UsageException("--calibration is for --method awq or gptq");
            if (result.GetValue(actOrder) && (chosen != QuantizationMethod.ErrorFeedback || quantization.Linears is not { GroupSize: > 0 }))
                throw new UsageException("--act-order is for --method gptq and weights in groups");
            DeviceOptions device = new() { Kind = DeviceKind.Cpu, Threads = result.GetValue(threads) };
            return RunAsync(services.Console, new QuantizationJob(path, folder, quantization) { Method = chosen, IsActOrdered = result.GetValue(actOrder) }, samples, result.GetValue(threads), result.GetValue(noVerify) ? null : device, result.GetValue(json), cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(CliConsole console, QuantizationJob job, string? samples, int? threads, DeviceOptions? device, bool json, CancellationToken cancellationToken)
    {
        QuantizationWatch watch = new();
        IntegerManifest manifest = await console.WaitAsync(
            () => watch.Status, Task.Run(() => Quantize(job, samples, threads, watch, cancellationToken), CancellationToken.None)).ConfigureAwait(false);
        IReadOnlyList<PromptAgreement> agreements = device is null ? [] : await console.WaitAsync(
            "comparing with the source", Task.Run(() => QuantizationComparison.Run(job.Model, job.Output, device, null, cancellationToken), CancellationToken.None)).ConfigureAwait(false);
        QuantizationJson report = QuantizationJson.Of(job, manifest, agreements);
        if (json)
            console.Out.WriteLine(JsonSerializer.Serialize(report, CliJson.Lines.QuantizationJson));
        else
            QuantizationText.Write(console, report);
        return ExitCode.Done;
    }

    private static IntegerManifest Quantize(QuantizationJob job, string? samples, int? threads, QuantizationWatch watch, CancellationToken cancellation)
    {
        if (job.Method == QuantizationMethod.RoundToNearest)
            return CheckpointQuantizer.Run(job, watch, cancellation);
        CalibrationSet set = samples is null ? CalibrationSet.BuiltIn : CalibrationSet.Read(samples);
        using LayerCalibration calibration = LayerCalibration.Open(job.Model, set, threads, cancellation);
        return CheckpointQuantizer.Run(job, calibration, watch, cancellation);
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
