using System.CommandLine;
using System.Text.Json;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 bench kernels</c>.</summary>
internal static class BenchKernelsCommand
{
    public const string HelpPage = """
        Usage: xc2 bench kernels [options]

        Times every kernel of a model on the GPU, launch by launch, and holds each
        against what this card can do, which is measured first: reading memory, and
        multiplying on tensor cores. How to read it: bench/README.md.

          --preset NAME          internlm-xcomposer2-vl-7b (unless told otherwise),
                                 internlm-xcomposer2-7b or internlm-xcomposer2-vl-1_8b
          --model DIR            a checkpoint folder instead of a preset
          --storage bf16|f16|f32 type of weights and activations (as the model has
                                 them; f16 before 8.0)
          --filter TEXT          only cases with this in their name; repeat for more
          --repetitions N        launches of each case that are timed (30)
          --l2 cold|written|warm what the L2 cache holds before each: other memory
                                 that was read (cold), other memory that was written,
                                 or what the launch before left there
          --quick                few rows, one launch: shows that it runs, no more
          --list                 the cases, without measuring; no GPU is needed
          --json [FILE]          one JSON object: instead of text, or into a file
          --csv [FILE]           comma-separated values: instead of text, or into a file
          --svg FILE             a roofline: operations per byte against TFLOP/s
          --compare A B          two files of --json, case by case; no GPU is needed
          --verbose              stack traces of errors

        Examples
          xc2 bench kernels --json h200.json
          xc2 bench kernels --filter linear_decode --filter decode_attention
          xc2 bench kernels --compare before.json after.json
        """;

    /// <summary>Whose tiles are listed where there is no GPU: an H100's.</summary>
    private static readonly DeviceFacts absentDevice = new(new ComputeCapability(9, 0), multiprocessors: 132);

    public static DocumentedCommand Create(CliServices services)
    {
        Option<string?> preset = ModelOptions.Preset();
        Option<string?> model = ModelOptions.Model();
        Option<DType?> storage = ModelOptions.Storage();
        Option<string[]> filter = new("--filter") { Arity = ArgumentArity.OneOrMore };
        Option<int?> repetitions = CheckedOption.Integer("--repetitions", 1, 10_000);
        Option<L2State?> l2 = CheckedOption.Choice("--l2", ("cold", L2State.Cold), ("written", L2State.Written), ("warm", L2State.Warm));
        Option<bool> quick = CheckedOption.Flag("--quick");
        Option<bool> list = CheckedOption.Flag("--list");
        Option<string?> json = new("--json") { Arity = ArgumentArity.ZeroOrOne };
        Option<string?> csv = new("--csv") { Arity = ArgumentArity.ZeroOrOne };
        Option<string?> svg = new("--svg");
        Option<string[]> compare = new("--compare") { Arity = new ArgumentArity(2, 2), AllowMultipleArgumentsPerToken = true };
        DocumentedCommand command = new("kernels", HelpPage) { preset, model, storage, filter, repetitions, l2, quick, list, json, csv, svg, compare };
        command.SetAction((result, cancellationToken) =>
        {
            KernelBenchOutput output = new(services.Console, Target(result, json), Target(result, csv), Target(result, svg));
            if (result.GetValue(compare) is [string before, string after])
            {
                output.RequireWritable();
                output.Write(KernelComparison.Read(before, after));
                return Task.FromResult(ExitCode.Done);
            }

            string? path = result.GetValue(model), name = result.GetValue(preset);
            if (path is not null && name is not null)
                throw new UsageException("--model and --preset exclude each other");
            KernelBenchRequest request = new(
                KernelModel.Open(path, path is null ? name ?? KernelModel.DefaultPreset : null), result.GetValue(storage), result.GetValue(filter) ?? [])
            {
                L2 = result.GetValue(l2) ?? L2State.Cold,
                Repetitions = result.GetValue(repetitions),
                IsQuick = result.GetValue(quick),
            };
            return result.GetValue(list) ? Task.FromResult(List(request, output)) : MeasureAsync(services.Console, request, output, cancellationToken);
        });
        return command;
    }

    private static OutputTarget Target(ParseResult result, Option<string?> option) => new(option.Name, result.GetResult(option) is not null, result.GetValue(option));

    private static int List(KernelBenchRequest request, KernelBenchOutput output)
    {
        CudaDevice? device = CudaAvailability.Probe().Device;
        output.Write(KernelCaseListJson.Of(request, request.Find(device is null ? absentDevice : DeviceFacts.Of(device)).Cases));
        return ExitCode.Done;
    }

    private static async Task<int> MeasureAsync(CliConsole console, KernelBenchRequest request, KernelBenchOutput output, CancellationToken cancellationToken)
    {
        output.RequireWritable();
        KernelBenchReport report = await console.WaitAsync("measuring", Task.Run(
            () =>
            {
                CubinCacheOptions cache = new() { Notice = console.Hint };
                using KernelBenchmark benchmark = KernelBenchmark.Open(null, cache);
                (IReadOnlyList<KernelCase> cases, KernelBenchPlan plan) = request.Find(DeviceFacts.Of(benchmark.Device));
                return benchmark.Measure(cases, plan, null, cancellationToken);
            },
            CancellationToken.None)).ConfigureAwait(false);
        output.Write(KernelBenchJson.Of(request.Model.Name, report));
        return ExitCode.Done;
    }
}
