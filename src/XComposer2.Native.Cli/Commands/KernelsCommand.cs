using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 kernels</c>.</summary>
internal static class KernelsCommand
{
    public const string HelpPage = """
        Usage: xc2 kernels list|compile|inspect|predict [options]

        The GPU's kernels: list shows those of a model, compile makes them ahead of
        time, inspect shows the registers and shared memory of each, predict says from
        their machine code how long a token, a prompt and a picture should take on a
        GPU that is not here. No GPU is needed; all but list need NVRTC, the CUDA
        compiler library, and predict needs nvdisasm (XC2_NVDISASM, PATH, or
        tools/nvrtc/install.sh --disassembler).

          --arch A[,B..]         generations (sm_75,sm_80,sm_86,sm_89,sm_90a)
          --out DIR              compile: the folder to fill. With XC2_KERNELS=DIR
                                 another machine takes its kernels from there; then
                                 NVRTC is not required
          --preset NAME|all      internlm-xcomposer2-vl-7b, internlm-xcomposer2-7b,
                                 internlm-xcomposer2-vl-1_8b, or all of them
          --model DIR            a checkpoint folder (else $XC2_MODEL, else the preset
                                 internlm-xcomposer2-vl-7b)
          --storage bf16|f16|f32 type of weights and activations (as the model has
                                 them; f16 before 8.0)
          --weights stored|int8|int4
                                 int8, int4: for linears of the decoder that are
                                 quantised while loading (stored)
          --group 32|64|128      columns that share a scale (int4: 128; int8: all)
          --head stored|int8|int4, --plora, --vision stored|int8,
          --embedding-weights stored|int8
                                 the head; Partial LoRA; vision tower and projector;
                                 token embeddings
          --kernel NAME          only this kernel; repeat for more
          --gpu NAME[,..]        predict: h200, rtx-4090, rtx-4060 (all three)
          --threads N            compilations at once, 1 to 1024 (one per processor)
          --json                 one JSON object instead of text
          --verbose              stack traces of errors

        Exit status of inspect: 1 when a kernel keeps registers in memory.

        Examples
          xc2 kernels list --preset internlm-xcomposer2-vl-1_8b
          xc2 kernels compile --arch sm_89 --out k
          xc2 kernels compile --preset all --arch sm_80,sm_90a --out k
          xc2 kernels inspect --kernel linear_decode --arch sm_80,sm_90a
          xc2 kernels predict --gpu h200
        """;

    public static Command Create(CliServices services) => new DocumentedCommand("kernels", HelpPage)
    {
        CreateList(services),
        CreateCompile(services),
        CreateInspect(services),
        PredictCommand.Create(services, HelpPage),
    };

    private static DocumentedCommand CreateList(CliServices services)
    {
        SelectionOptions options = new();
        DocumentedCommand command = options.AddTo(new DocumentedCommand("list", HelpPage));
        command.SetAction(result =>
        {
            KernelSelection selection = options.Read(result, services);
            KernelListJson list = new(selection.ModelNames, KernelSummaryJson.Of(selection.Find()));
            if (result.GetValue(options.Json))
                services.Console.Out.WriteLine(JsonSerializer.Serialize(list, CliJson.Lines.KernelListJson));
            else
                new KernelText(services.Console.RichOut()).Write(list);
            return ExitCode.Done;
        });
        return command;
    }

    private static DocumentedCommand CreateCompile(CliServices services)
    {
        SelectionOptions options = new();
        Option<string?> folder = new("--out", "-o");
        Option<int?> threads = ModelOptions.Threads();
        DocumentedCommand command = options.AddTo(new DocumentedCommand("compile", HelpPage) { folder, threads });
        command.SetAction(async (result, cancellationToken) =>
        {
            string path = CubinFolders.Within(result.GetValue(folder) ?? throw new UsageException("--out is missing: the folder to fill"));
            KernelSelection selection = options.Read(result, services);
            IReadOnlyList<SelectedKernel> kernels = selection.Find();
            long start = Stopwatch.GetTimestamp();
            Cubin[] cubins = await new KernelCompiler(services.Console)
                .CompileAsync([.. kernels.Select(kernel => kernel.Request)], path, result.GetValue(threads), cancellationToken).ConfigureAwait(false);
            CompiledKernelsJson compiled = new(
                selection.ModelNames, path, cubins.Length, cubins.Count(cubin => cubin.Origin == CubinOrigin.Compiled), cubins.Sum(cubin => (long)cubin.Image.Length), Stopwatch.GetElapsedTime(start).TotalSeconds);
            if (result.GetValue(options.Json))
                services.Console.Out.WriteLine(JsonSerializer.Serialize(compiled, CliJson.Lines.CompiledKernelsJson));
            else
                new KernelText(services.Console.RichOut()).Write(compiled);
            return ExitCode.Done;
        });
        return command;
    }

    private static DocumentedCommand CreateInspect(CliServices services)
    {
        SelectionOptions options = new();
        Option<int?> threads = ModelOptions.Threads();
        DocumentedCommand command = options.AddTo(new DocumentedCommand("inspect", HelpPage) { threads });
        command.SetAction(async (result, cancellationToken) =>
        {
            KernelSelection selection = options.Read(result, services);
            if (selection.Targets.FirstOrDefault(target => target.IsPtx) is { IsPtx: true } ptx)
                throw new UsageException($"--arch: {ptx} is not machine code, and has no registers yet");
            IReadOnlyList<SelectedKernel> kernels = selection.Find();
            Cubin[] cubins = await new KernelCompiler(services.Console)
                .CompileAsync([.. kernels.Select(kernel => kernel.ReportingRequest)], null, result.GetValue(threads), cancellationToken).ConfigureAwait(false);
            KernelInspectionJson inspection = new(
                selection.ModelNames, [.. kernels.Zip(cubins, (kernel, cubin) => KernelReportJson.Of(kernel, KernelResources.Parse(cubin.Log)))]);
            if (result.GetValue(options.Json))
                services.Console.Out.WriteLine(JsonSerializer.Serialize(inspection, CliJson.Lines.KernelInspectionJson));
            else
                new KernelText(services.Console.RichOut()).Write(inspection);
            return inspection.Kernels.Any(kernel => kernel.StackBytes + kernel.SpillBytes > 0) ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }

    /// <summary>What all three ask: whose kernels, for which generations.</summary>
    private sealed class SelectionOptions
    {
        private readonly Option<CudaTarget[]?> targets = KernelTargets.Option();
        private readonly Option<string?> preset = ModelOptions.Preset();
        private readonly Option<string?> model = ModelOptions.Model();
        private readonly Option<DType?> storage = ModelOptions.Storage();
        private readonly WeightOptions weights = new();
        private readonly Option<string[]> kernels = new("--kernel") { Arity = ArgumentArity.OneOrMore };

        public Option<bool> Json { get; } = CheckedOption.Flag("--json");

        public DocumentedCommand AddTo(DocumentedCommand command)
        {
            foreach (Option option in (Option[])[targets, preset, model, storage, kernels, Json])
                command.Add(option);
            weights.AddTo(command);
            return command;
        }

        public KernelSelection Read(ParseResult result, CliServices services)
        {
            (string? path, string? name) = Choose(result.GetValue(model), result.GetValue(preset), services);
            IReadOnlyList<CudaTarget> chosen = result.GetValue(targets) is { Length: > 0 } named ? named : KernelTargets.All;
            return new KernelSelection(
                KernelModel.OpenAll(path, name), result.GetValue(storage), weights.Read(result).Quantization, chosen, result.GetValue(kernels) ?? []);
        }

        // The demo's kernels are of no use to anyone who compiles ahead of time.
        private static (string? Path, string? Preset) Choose(string? model, string? preset, CliServices services)
        {
            if (preset is not null || model is not null)
                return (ModelOptions.Choose(model, preset, services), preset);
            return services.Variable(ModelFolder.VariableName) is { Length: > 0 } named ? (named, null) : (null, KernelModel.DefaultPreset);
        }
    }
}
