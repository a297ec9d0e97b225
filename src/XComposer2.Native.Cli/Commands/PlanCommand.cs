using System.CommandLine;
using System.Text.Json;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 plan</c>.</summary>
internal static class PlanCommand
{
    public const string HelpPage = """
        Usage: xc2 plan [options]

        What a model takes of memory, item by item, before anything is allocated; of a
        checkpoint, or of a published model without its weights.

          --model DIR            a checkpoint folder (else $XC2_MODEL, else the demo)
          --preset NAME          internlm-xcomposer2-vl-7b, internlm-xcomposer2-7b or
                                 internlm-xcomposer2-vl-1_8b
          --weights stored|int8|int4
                                 int8, int4: the decoder's linears quantised while
                                 loading, and with int4 the head, to int8; or the
                                 type of a preset's weights, which are bf16 as
                                 stored: bf16, f16, f32
          --group 32|64|128      columns that share a scale (int4: 128; int8: all)
          --head stored|int8, --plora stored|int8, --vision stored|int8
                                 the head; Partial LoRA; vision tower and projector
          --adapter DIR          a LoRA adapter (PEFT) to merge; repeat for more
          --loading mapped|memory whether weight files are read into memory (mapped)
          --device cpu|cuda      on which device, which need not be there (cpu)
          --storage bf16|f16|f32 type of weights on a GPU (that of the weights)
          --embeddings device|host where a GPU finds the token embeddings (device)
          --context N            longest sequence in tokens (the model's own)
          --threads N            CPU threads, 1 to 1024 (one per processor)
          --steps                also every step and its place in the arena
          --json                 one JSON object instead of text
          --verbose              stack traces of errors

        Examples
          xc2 plan --preset internlm-xcomposer2-vl-7b --context 2048
          xc2 plan --preset internlm-xcomposer2-vl-7b --device cuda --embeddings host
          xc2 plan --model ./internlm-xcomposer2-vl-7b --steps
        """;

    public static Command Create(CliServices services)
    {
        Option<string?> model = ModelOptions.Model();
        Option<string?> preset = ModelOptions.Preset();
        WeightOptions weights = new(hasTypes: true);
        Option<string[]> adapters = ModelOptions.Adapters();
        Option<WeightLoading?> loading = ModelOptions.Loading();
        Option<int?> context = ModelOptions.Context();
        Option<DeviceKind?> device = CheckedOption.Choice("--device", ("cpu", DeviceKind.Cpu), ("cuda", DeviceKind.Cuda));
        Option<DType?> storage = ModelOptions.Storage();
        Option<EmbeddingPlace?> embeddings = ModelOptions.Embeddings();
        Option<int?> threads = ModelOptions.Threads();
        Option<bool> steps = CheckedOption.Flag("--steps");
        Option<bool> json = CheckedOption.Flag("--json");
        DocumentedCommand command = new("plan", HelpPage) { model, preset, adapters, loading, device, storage, embeddings, context, threads, steps, json };
        weights.AddTo(command);
        command.SetAction(result =>
        {
            string? path = ModelOptions.Choose(result.GetValue(model), result.GetValue(preset), services);
            WeightChoice choice = weights.Read(result);
            choice.RequireFit(path);
            CheckpointOptions options = new() { Adapters = result.GetValue(adapters) ?? [], Loading = result.GetValue(loading) ?? WeightLoading.Mapped };
            if (path is null && (options.Adapters.Count > 0 || options.Loading != WeightLoading.Mapped))
                throw new UsageException("--adapter and --loading are for a checkpoint; a preset has no files");
            bool isOnGpu = result.GetValue(device) == DeviceKind.Cuda;
            DeviceOptions chosen = ModelOptions.DeviceOf(result, device, threads, storage, embeddings);
            if (path is null && isOnGpu && chosen.Storage is null)
                chosen = chosen with { Storage = choice.Type };
            ModelMemoryPlan plan = (path, isOnGpu) switch
            {
                (null, false) => ModelMemoryPlan.ForPreset(result.GetValue(preset)!, result.GetValue(context), chosen.Threads, choice.Type ?? DType.BF16, choice.Quantization),
                (null, true) => ModelMemoryPlan.ForPresetOnCuda(result.GetValue(preset)!, result.GetValue(context), chosen, choice.Quantization),
                (not null, false) => ModelMemoryPlan.ForCheckpoint(path, result.GetValue(context), chosen.Threads, choice.Quantization, options),
                (not null, true) => ModelMemoryPlan.ForCheckpointOnCuda(path, result.GetValue(context), chosen, choice.Quantization, options),
            };
            services.Interrupts.Program.ThrowIfCancellationRequested();
            long machineBytes = isOnGpu ? CudaAvailability.Probe().Device?.MemoryBytes ?? 0 : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
            if (result.GetValue(json))
                services.Console.Out.WriteLine(JsonSerializer.Serialize(MemoryPlanJson.Of(plan, machineBytes), CliJson.Lines.MemoryPlanJson));
            else
                new MemoryPlanText(services.Console.RichOut()).Write(plan, machineBytes, result.GetValue(steps));
            return ExitCode.Done;
        });
        return command;
    }
}
