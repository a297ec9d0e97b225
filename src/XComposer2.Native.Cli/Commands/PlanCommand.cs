using System.CommandLine;
using System.Text.Json;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Training;

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
                                 loading, with int4 all other parts, to int8;
                                 or the type of a preset's weights, which are bf16
                                 as stored: bf16, f16, f32
          --group 32|64|128      columns that share a scale (int4: 128; int8: all)
          --head stored|int8|int4, --plora, --vision stored|int8,
          --embedding-weights stored|int8
                                 the head; Partial LoRA; vision tower and projector;
                                 token embeddings
          --adapter DIR          a LoRA adapter (PEFT) to merge; repeat for more
          --loading mapped|memory whether weight files are read into memory (mapped)
          --device cpu|cuda      on which device, which need not be there (cpu)
          --vram SIZE            a GPU with so much memory, for example 8GiB: whether
                                 it fits, and the smallest change with which it would;
                                 a CUDA context is counted as 450 MiB
          --storage bf16|f16|f32 type of weights on a GPU (that of the weights)
          --embeddings device|host where a GPU finds the token embeddings (device)
          --cache f32|bf16|f16|int8
                                 keys and values (CPU: f32; GPU: as --storage)
          --context N            longest sequence in tokens (the model's own)
          --train                what training takes of a GPU's memory instead:
                                 frozen weights, parameters with gradients and
                                 means, activations by recomputed layers
          --recipe NAME          what is trained: pretrain, sft, finetune or lora
                                 (lora); with --train
          --rank N               rank of the adapter (64); with --train
          --threads N            CPU threads, 1 to 1024 (one per processor)
          --steps                also every step and its place in the arena
          --json                 one JSON object instead of text
          --verbose              stack traces of errors

        Examples
          xc2 plan --preset internlm-xcomposer2-vl-7b --context 2048
          xc2 plan --preset internlm-xcomposer2-vl-7b --device cuda --embeddings host
          xc2 plan --preset internlm-xcomposer2-vl-7b --weights int4 --vram 8GiB
          xc2 plan --preset internlm-xcomposer2-vl-7b --train --context 2048
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
        Option<CacheFormat?> cache = ModelOptions.Cache();
        Option<long?> vram = CheckedOption.Of("--vram", CheckedValues.Size);
        Option<bool> steps = CheckedOption.Flag("--steps");
        Option<bool> json = CheckedOption.Flag("--json"), train = CheckedOption.Flag("--train");
        Option<TrainingRecipe?> recipe = TrainingOptions.Recipe();
        Option<int?> rank = TrainingOptions.Rank();
        DocumentedCommand command = new("plan", HelpPage) { model, preset, adapters, loading, device, vram, storage, embeddings, cache, context, threads, steps, json, train, recipe, rank };
        weights.AddTo(command);
        command.SetAction(result =>
        {
            string? path = ModelOptions.Choose(result.GetValue(model), result.GetValue(preset), services);
            WeightChoice choice = weights.Read(result);
            choice.RequireFit(path);
            if (result.GetValue(train))
            {
                if (result.GetValue(device) == DeviceKind.Cpu)
                    throw new UsageException("--train plans the memory of a GPU, not of --device cpu");
                TrainingRecipe chosenRecipe = TrainingOptions.WithRank(result.GetValue(recipe) ?? TrainingRecipe.Lora, result.GetValue(rank));
                TrainingMemoryPlan training = TrainingPlanOutput.Plan(
                    path, result.GetValue(preset), chosenRecipe, result.GetValue(storage) ?? (choice.Type is DType.F32 ? DType.F32 : DType.BF16), choice.Quantization, result.GetValue(context));
                services.Interrupts.Program.ThrowIfCancellationRequested();
                TrainingPlanOutput.Write(services.Console, training, result.GetValue(vram), result.GetValue(json));
                return ExitCode.Done;
            }

            if (result.GetValue(recipe) is not null || result.GetValue(rank) is not null)
                throw new UsageException("--recipe and --rank are for --train");
            CheckpointOptions options = new() { Adapters = result.GetValue(adapters) ?? [], Loading = result.GetValue(loading) ?? WeightLoading.Mapped };
            if (path is null && (options.Adapters.Count > 0 || options.Loading != WeightLoading.Mapped))
                throw new UsageException("--adapter and --loading are for a checkpoint; a preset has no files");
            long? vramBytes = result.GetValue(vram);
            if (vramBytes is not null && result.GetValue(device) == DeviceKind.Cpu)
                throw new UsageException("--vram is for a GPU, not for --device cpu");
            bool isOnGpu = vramBytes is not null || result.GetValue(device) == DeviceKind.Cuda;
            DeviceOptions chosen = ModelOptions.DeviceOf(result, device, threads, storage, embeddings, cache: cache);
            if (path is null && isOnGpu && chosen.Storage is null)
                chosen = chosen with { Storage = choice.Type };
            var request = new GpuPlanRequest(result.GetValue(preset), path, result.GetValue(context), chosen, choice.Quantization, options);
            GpuFit? fit = vramBytes is { } bytes ? GpuFit.Find(request, bytes) : null;
            ModelMemoryPlan plan = (path, isOnGpu) switch
            {
                (_, true) => fit?.Plan ?? request.Plan(),
                (null, false) => ModelMemoryPlan.ForPreset(result.GetValue(preset)!, result.GetValue(context), chosen.Threads, choice.Type ?? DType.BF16, choice.Quantization, chosen.Cache),
                (not null, false) => ModelMemoryPlan.ForCheckpoint(path, result.GetValue(context), chosen.Threads, choice.Quantization, options, chosen.Cache),
            };
            services.Interrupts.Program.ThrowIfCancellationRequested();
            long machineBytes = fit is not null ? 0 : isOnGpu ? CudaAvailability.Probe().Device?.MemoryBytes ?? 0 : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
            if (result.GetValue(json))
                services.Console.Out.WriteLine(JsonSerializer.Serialize(MemoryPlanJson.Of(plan, machineBytes, fit), CliJson.Lines.MemoryPlanJson));
            else
                new MemoryPlanText(services.Console.RichOut()).Write(plan, machineBytes, result.GetValue(steps), fit);
            return ExitCode.Done;
        });
        return command;
    }
}
