using System.CommandLine;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Training;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 train</c>.</summary>
internal static class TrainCommand
{
    public const string HelpPage = """
        Usage: xc2 train --recipe NAME --data FILE --out DIR [--model DIR] [options]

        Fine-tunes a model on conversations with pictures. The folder holds
        metrics.jsonl, a line for each step, curve.svg, the state of the run, and at the
        end the folder result: a checkpoint, or an adapter for --adapter. A run that was
        stopped or killed goes on from its last state, to the same result to the bit.

          --recipe NAME    pretrain  vision tower, projector and Partial LoRA
                           sft       everything; the language model more slowly
                           finetune  everything but the vision tower
                           lora      an adapter for the language model
          --data FILE      conversations (.json, .jsonl), or a list of such files with
                           the share of each that is learnt (.txt); repeat for more
          --held-out FILE|X
                           conversations that are not learnt but scored, or a share of
                           the data, for example 0.05; repeat for more files
          --out DIR        a new folder, or that of a run that was stopped
          -m, --model DIR  a checkpoint folder (else $XC2_MODEL, else the demo)
          --weights stored|int8|int4
                           frozen weights, for pretrain and lora; also --group, --head,
                           --plora, --vision and --embedding-weights, as for chat
          --epochs N       how often each sample is learnt (1)
          --steps N        steps in all, in place of --epochs
          --accumulate N   samples of a step (8)
          --group-by-length
                           samples of like length share a step
          --mix            numbers in a list are weights: each file has its share of
                           every step
          --rate X         highest learning rate (the recipe's)
          --rank N         rank and alpha of an adapter (64)
          --context N      positions that are kept of a sample (the model's)
          --save-every N   steps between two states (100)
          --evaluate-every N
                           steps between two scores of what is held out (100)
          --thousands      numbers in a list are thousands of samples
          --seed N         of the order of samples, and of new adapters (0)
          --device cpu|cuda
                           on which device (cpu); a GPU needs compute capability 8.0
          --storage bf16|f32
                           frozen weights and tensor cores on a GPU (bf16); what is
                           trained is f32
          --threads N      CPU threads, 1 to 1024 (one per processor)
          --verbose        stack traces of errors

        Samples that cannot be learnt are left out, named and counted. Held-out samples
        are scored by their loss and by exact answers: those that greedy decoding would
        give, to the end mark.

        Example
          xc2 train --recipe lora --data my.json --model ./my-7b --out my-lora
        """;

    public static Command Create(CliServices services)
    {
        Option<TrainingRecipe?> recipe = CheckedOption.Of("--recipe", RecipeValue);
        Option<string[]> data = new("--data") { Arity = ArgumentArity.OneOrMore };
        Option<string?> output = new("--out", "-o"), model = ModelOptions.Model();
        Option<int?> epochs = CheckedOption.Integer("--epochs", 1), accumulate = CheckedOption.Integer("--accumulate", 1), rank = CheckedOption.Integer("--rank", 1, 4096);
        Option<int?> saveEvery = CheckedOption.Integer("--save-every", 1), seed = CheckedOption.Integer("--seed", 0), context = ModelOptions.Context(), threads = ModelOptions.Threads();
        Option<int?> steps = CheckedOption.Integer("--steps", 1), evaluateEvery = CheckedOption.Integer("--evaluate-every", 1);
        Option<float?> rate = CheckedOption.Positive("--rate", 1);
        Option<string[]> heldOut = new("--held-out") { Arity = ArgumentArity.OneOrMore };
        Option<DeviceKind?> device = CheckedOption.Choice("--device", ("cpu", DeviceKind.Cpu), ("cuda", DeviceKind.Cuda));
        Option<DType?> storage = CheckedOption.Choice("--storage", ("bf16", DType.BF16), ("f32", DType.F32));
        Option<bool> thousands = CheckedOption.Flag("--thousands"), mix = CheckedOption.Flag("--mix"), groupByLength = CheckedOption.Flag("--group-by-length");
        var weights = new WeightOptions();
        DocumentedCommand command = new("train", HelpPage)
        {
            recipe, data, heldOut, output, model, epochs, steps, accumulate, groupByLength, mix, rank, saveEvery, evaluateEvery, seed, context, device, storage, threads, rate, thousands,
        };
        weights.AddTo(command);
        command.SetAction((result, cancellationToken) =>
        {
            TrainingRecipe chosen = result.GetValue(recipe) ?? throw new UsageException($"--recipe is missing: {Names}");
            if (result.GetValue(data) is not { Length: > 0 } files)
                throw new UsageException("--data is missing: a file of conversations");
            string folder = result.GetValue(output) ?? throw new UsageException("--out is missing: the folder to write");
            if (result.GetValue(rank) is { } size)
                chosen = chosen.Adapter is null ? throw new UsageException("--rank is for --recipe lora") : chosen with { Adapter = chosen.Adapter with { Rank = size, Alpha = size } };
            if (result.GetValue(rate) is { } highest)
                chosen = chosen with { Rate = (double)(decimal)highest };
            if (result.GetValue(mix) && result.GetValue(thousands))
                throw new UsageException("--mix and --thousands exclude each other");
            if (result.GetValue(steps) is not null && result.GetValue(epochs) is not null)
                throw new UsageException("--steps and --epochs exclude each other");
            string[] held = result.GetValue(heldOut) ?? [];
            if (result.GetValue(evaluateEvery) is not null && held.Length == 0)
                throw new UsageException("--evaluate-every is for --held-out");
            bool isOnGpu = result.GetValue(device) == DeviceKind.Cuda;
            if (result.GetValue(storage) is not null && !isOnGpu)
                throw new UsageException("--storage is for --device cuda");
            if (result.GetValue(threads) is not null && isOnGpu)
                throw new UsageException("--threads is for --device cpu");
            WeightQuantization quantization = weights.Read(result).Quantization;
            if (!quantization.IsNone && chosen.Adapter is null && chosen.LanguageScale != 0)
                throw new UsageException($"weights of integers are for recipes that freeze the language model, pretrain and lora, not {chosen.Name}");
            var request = new TrainingRequest
            {
                Model = ModelFolder.Choose(result.GetValue(model), services.Variable, AppContext.BaseDirectory).Path,
                Recipe = chosen,
                Quantization = quantization,
                Data = new TrainingFiles(files, held, result.GetValue(thousands), result.GetValue(mix)),
                Run = new TrainingRunOptions { OutputFolder = folder, Steps = 1, SaveEvery = result.GetValue(saveEvery) ?? 100, EvaluateEvery = result.GetValue(evaluateEvery) ?? 100 },
                Order = new StepOptions { Steps = 1, Accumulation = result.GetValue(accumulate) ?? 8, Seed = result.GetValue(seed) ?? 0, GroupsByLength = result.GetValue(groupByLength) },
                Epochs = result.GetValue(epochs) ?? 1,
                Steps = result.GetValue(steps),
                Context = result.GetValue(context),
                Threads = result.GetValue(threads),
                Storage = isOnGpu ? result.GetValue(storage) ?? DType.BF16 : null,
            };
            return Task.Run(() => TrainRun.Start(services.Console, request, cancellationToken), CancellationToken.None);
        });
        return command;
    }

    private static string Names => string.Join(", ", TrainingRecipe.All.Select(recipe => recipe.Name));

    private static CheckedValue<TrainingRecipe?> RecipeValue { get; } = new(Names, static text => TrainingRecipe.All.FirstOrDefault(recipe => recipe.Name == text));
}
