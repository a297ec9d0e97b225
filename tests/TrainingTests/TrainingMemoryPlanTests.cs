using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Training;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>What training the 7B takes of a GPU: planned from sizes, without weights and without a GPU.</summary>
public sealed class TrainingMemoryPlanTests(ITestOutputHelper output)
{
    private const long Gibibyte = 1L << 30;

    [Theory]
    [InlineData("lora", "bf16", 24)]
    [InlineData("lora", "int8", 16)]
    [InlineData("lora", "int4", 12)]
    [InlineData("pretrain", "bf16", 40)]
    public void The_7B_at_2048_tokens_fits(string recipe, string weights, int gibibytes)
    {
        TrainingMemoryPlan plan = Plan(recipe, weights);
        foreach (MemoryItem item in plan.Fixed.Items)
            output.WriteLine($"{item.Name}: {item.Bytes / (double)Gibibyte:f2} GiB");
        foreach (TrainingActivations choice in plan.Choices)
            output.WriteLine($"{choice.RecomputedLayers} of {plan.Layers} recomputed: {choice.Bytes / (double)Gibibyte:f2} GiB, of it scratch {choice.ScratchBytes / (double)Gibibyte:f2}");
        output.WriteLine($"{plan.LeastBytes / (double)Gibibyte:f2} GiB");
        Assert.InRange(plan.LeastBytes, 4 * Gibibyte, gibibytes * Gibibyte);
        Assert.Equal(plan.Choices.Select(choice => choice.Bytes).OrderDescending(), plan.Choices.Select(choice => choice.Bytes));
        Assert.Equal(plan.Layers, plan.Least.RecomputedLayers);
    }

    [Fact]
    public void Adapters_of_rank_64_are_the_only_parameters_of_lora()
    {
        // In each layer 64 (in + out) of wqkv, wo, w1, w3, w2.
        Assert.Equal(32 * 64L * (4096 + 6144 + 4096 + 4096 + (3 * (4096 + 14336))), Plan("lora", "bf16").TrainedElements);
    }

    [Fact]
    public void Fewest_layers_are_recomputed_within_a_budget()
    {
        TrainingMemoryPlan plan = Plan("lora", "bf16");
        Assert.Null(plan.Within(plan.LeastBytes - 1));
        // The vision tower is frozen, so that its layers keep nothing.
        Assert.Equal(plan.Choices.First(choice => choice.Bytes == plan.Least.Bytes), plan.Within(plan.LeastBytes));
        Assert.Equal(0, plan.Within(80 * Gibibyte)!.RecomputedLayers);
        Assert.Equal(plan.Choices[2], plan.Within(plan.Fixed.TotalBytes + plan.Choices[2].Bytes));
    }

    private static TrainingMemoryPlan Plan(string recipe, string weights) => TrainingMemoryPlan.For(
        ModelPresets.VisionLanguage7B, ModelPresets.Find(ModelPresets.VisionLanguage7B), TrainingRecipe.All.First(known => known.Name == recipe), DType.BF16,
        weights switch { "int4" => WeightQuantization.Int4, "int8" => WeightQuantization.Int8, _ => WeightQuantization.None }, 2048);
}
