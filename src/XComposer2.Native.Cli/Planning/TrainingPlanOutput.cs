using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Training;

namespace XComposer2.Native.Cli;

/// <summary>Output of <c>xc2 plan --train --json</c>.</summary>
internal sealed record TrainingPlanJson(
    string Model, string Recipe, int? Rank, int Context, long TrainedElements, IReadOnlyList<MemoryItemJson> Items, IReadOnlyList<ActivationsJson> Activations, int Layers, long LeastBytes, long? VramBytes,
    int? RecomputedLayers);

/// <summary>Activations with so many layers recomputed, and all of it together.</summary>
internal sealed record ActivationsJson(int RecomputedLayers, long Bytes, long ScratchBytes, long TotalBytes);

/// <summary>Plans training, and prints what it takes.</summary>
internal static class TrainingPlanOutput
{
    /// <summary>Of a checkpoint, of which only the sizes are read, or of a preset.</summary>
    public static TrainingMemoryPlan Plan(string? path, string? preset, TrainingRecipe recipe, DType storage, WeightQuantization quantization, int? context)
    {
        if (storage == DType.F16)
            throw new UsageException("--train: --storage f16 has too small a range for gradients; bf16 has not");
        if (path is null)
            return TrainingMemoryPlan.For(preset!, ModelPresets.Names.Contains(preset) ? ModelPresets.Find(preset!) : throw new UsageException($"--preset must be {string.Join(" or ", ModelPresets.Names)}, not '{preset}'"), recipe, storage, quantization, context);
        using Checkpoint checkpoint = CheckpointFolder.Open(path, new CheckpointOptions());
        return TrainingMemoryPlan.For(path, checkpoint.Config, recipe, storage, quantization, context);
    }

    public static void Write(CliConsole console, TrainingMemoryPlan plan, long? vramBytes, bool isJson)
    {
        TrainingActivations? within = vramBytes is { } most ? plan.Within(most - GpuFit.ContextBytes) : null;
        if (isJson)
        {
            var json = new TrainingPlanJson(
                plan.Model, plan.Recipe.Name, plan.Recipe.Adapter?.Rank, plan.Context, plan.TrainedElements, [.. plan.Fixed.Items.Select(item => new MemoryItemJson(item.Name, item.Bytes))],
                [.. plan.Choices.Select(choice => new ActivationsJson(choice.RecomputedLayers, choice.Bytes, choice.ScratchBytes, plan.Fixed.TotalBytes + choice.Bytes))],
                plan.Layers, plan.LeastBytes, vramBytes, within?.RecomputedLayers);
            console.Out.WriteLine(JsonSerializer.Serialize(json, CliJson.Lines.TrainingPlanJson));
            return;
        }

        IAnsiConsole rich = console.RichOut();
        string rank = plan.Recipe.Adapter is { } adapter ? string.Create(CultureInfo.InvariantCulture, $" of rank {adapter.Rank}") : "";
        Line(string.Create(CultureInfo.InvariantCulture, $"{TerminalText.OneLine(plan.Model)}, training: {plan.Recipe.Name}{rank}, passes of {plan.Context} tokens"), "bold");
        foreach (MemoryItem item in plan.Fixed.Items)
            Item(item.Name, item.Bytes);
        Line("");
        Line($"  {"layers recomputed",-20}{"activations",14}{"of it scratch",16}{"all",14}", "bold");
        foreach (TrainingActivations choice in plan.Choices)
            Line(string.Create(
                CultureInfo.InvariantCulture,
                $"  {$"{choice.RecomputedLayers} of {plan.Layers}",-20}{InspectionText.Size(choice.Bytes),14}{InspectionText.Size(choice.ScratchBytes),16}{InspectionText.Size(plan.Fixed.TotalBytes + choice.Bytes),14}"));
        if (vramBytes is not { } bytes)
            return;
        Line("");
        Item("CUDA context", GpuFit.ContextBytes);
        if (within is { } chosen)
            Line(string.Create(CultureInfo.InvariantCulture, $"  fits {InspectionText.Size(bytes)} with {chosen.RecomputedLayers} of {plan.Layers} layers recomputed"), "green");
        else
            Line($"  does not fit: {InspectionText.Size(plan.LeastBytes + GpuFit.ContextBytes - bytes)} too much with all layers recomputed", "yellow");

        void Item(string name, long size) => Line($"  {name,-56}{InspectionText.Size(size),12}");

        void Line(string text, string style = "default") => rich.WriteLine(text, Style.Parse(style));
    }
}
