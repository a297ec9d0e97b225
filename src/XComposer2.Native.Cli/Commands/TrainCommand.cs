using System.CommandLine;
using System.Globalization;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using XComposer2.Native.Training;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 train</c>.</summary>
internal static class TrainCommand
{
    public const string HelpPage = """
        Usage: xc2 train --recipe NAME --data FILE --out DIR [--model DIR] [options]

        Fine-tunes a model on conversations with pictures, on the CPU. The folder holds
        metrics.jsonl, a line for each step, the state of the run, and at the end the
        folder result: a checkpoint, or an adapter for --adapter. A run that was stopped
        goes on from its last state, and ends with the same result to the bit.

          --recipe NAME    pretrain  vision tower, projector and Partial LoRA
                           sft       everything; the language model more slowly
                           finetune  everything but the vision tower
                           lora      an adapter for the language model
          --data FILE      conversations (.json, .jsonl), or a list of such files with
                           the share of each that is learnt (.txt); repeat for more
          --out DIR        a new folder, or that of a run that was stopped
          -m, --model DIR  a checkpoint folder (else $XC2_MODEL, else the demo)
          --epochs N       how often each sample is learnt (1)
          --accumulate N   samples of a step (8)
          --rate X         highest learning rate (the recipe's)
          --rank N         rank and alpha of an adapter (64)
          --context N      positions that are kept of a sample (the model's)
          --save-every N   steps between two states (100)
          --thousands      numbers in a list are thousands of samples
          --seed N         of the order of samples, and of new adapters (0)
          --threads N      CPU threads, 1 to 1024 (one per processor)
          --verbose        stack traces of errors

        Samples that cannot be learnt are left out, named and counted.

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
        Option<float?> rate = CheckedOption.Positive("--rate", 1);
        Option<bool> thousands = CheckedOption.Flag("--thousands");
        DocumentedCommand command = new("train", HelpPage) { recipe, data, output, model, epochs, accumulate, rank, saveEvery, seed, context, threads, rate, thousands };
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
            int start = result.GetValue(seed) ?? 0;
            var request = new TrainingRequest(
                ModelFolder.Choose(result.GetValue(model), services.Variable, AppContext.BaseDirectory).Path, chosen, files, result.GetValue(thousands),
                new TrainingRunOptions { OutputFolder = folder, Steps = 1, SaveEvery = result.GetValue(saveEvery) ?? 100 },
                new StepOptions { Steps = 1, Accumulation = result.GetValue(accumulate) ?? 8, Seed = start }, result.GetValue(epochs) ?? 1, result.GetValue(context), result.GetValue(threads));
            return Task.Run(() => Run(services.Console, request, cancellationToken), CancellationToken.None);
        });
        return command;
    }

    private static string Names => string.Join(", ", TrainingRecipe.All.Select(recipe => recipe.Name));

    private static CheckedValue<TrainingRecipe?> RecipeValue { get; } = new(Names, static text => TrainingRecipe.All.FirstOrDefault(recipe => recipe.Name == text));

    private static int Run(CliConsole console, TrainingRequest request, CancellationToken cancellation)
    {
        IReadOnlyList<TrainingSample> samples = SampleSources.Read(request.Data, request.AreThousands, request.Order.Seed);
        int steps = ConversationSource.StepsFor(samples.Count, request.Epochs, request.Order.Accumulation);
        using var backend = new CpuBackend(request.Threads);
        using var trainer = new Trainer(request.Model, request.Recipe, backend, request.Order.Seed) { ActivationBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2 };
        var text = new TrainingText(TextTokenizer.Load(request.Model, trainer.Config.Decoder.VocabularySize));
        int length = Math.Min(request.Context ?? trainer.Config.ContextLength, trainer.Config.ContextLength);
        var source = new ConversationSource(new SamplePreparer(trainer.Config, text, length), [new SampleGroup(samples, 1)], request.Order with { Steps = steps });
        var run = new TrainingRun(trainer, request.Recipe, source, request.Options with { Steps = steps });
        var watch = new TrainingWatch(console);
        console.Hint(string.Create(CultureInfo.InvariantCulture, $"{samples.Count} samples, {steps} steps, {trainer.Parameters.Parameters.Length} weights are trained"));
        run.Run(watch, cancellation);
        foreach (string reason in run.LeftOut.Values.Take(20))
            console.Hint($"left out: {TerminalText.OneLine(reason)}");
        if (run.LeftOut.Count > 0)
            console.Hint($"{run.LeftOut.Count} of {samples.Count} samples were left out");
        console.Say($"{TerminalText.OneLine(Path.Combine(request.Options.OutputFolder, "result"))}\n");
        return ExitCode.Done;
    }

    private sealed record TrainingRequest(
        string Model, TrainingRecipe Recipe, IReadOnlyList<string> Data, bool AreThousands, TrainingRunOptions Options, StepOptions Order, int Epochs, int? Context, int? Threads);
}

/// <summary>A line for each step: what it was, and how long the rest will take.</summary>
internal sealed class TrainingWatch(CliConsole console) : IProgress<TrainingStep>
{
    private double seconds;
    private int steps;

    public void Report(TrainingStep value)
    {
        seconds += value.Seconds;
        double left = seconds / ++steps * (value.Steps - value.Step);
        console.Hint(string.Create(CultureInfo.InvariantCulture, $"{value}, about {TimeSpan.FromSeconds(Math.Ceiling(left))} left"));
    }
}
