using System.Text.Json;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using XComposer2.Native.Training;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>Losses and gradients of the whole model, against PyTorch in float32.</summary>
public sealed class GradientTests
{
    // A key's bias adds the same to every score of a query, which softmax does not see: its gradient is zero, and what a program computes is what rounding left.
    private const double RoundingOfZero = 1e-8;

    private static readonly TrainingRecipe everything = TrainingRecipe.SupervisedFineTuning with { LanguageScale = 1 };

    [Fact]
    public void Texts_losses_and_gradients_of_all_weights_are_those_of_pytorch()
    {
        using var backend = new CpuBackend(2);
        using var trainer = new Trainer(GoldenTraining.Model, everything, backend);
        PreparedSample[] samples = GoldenTraining.Samples(trainer.Config);
        using JsonDocument facts = GoldenTraining.Json("steps.json");
        JsonElement[] expected = [.. facts.RootElement.GetProperty("samples").EnumerateArray()];
        for (int i = 0; i < samples.Length; i++)
        {
            Assert.Equal(GoldenTraining.Integers(expected[i].GetProperty("ids")), samples[i].Text.Ids);
            Assert.Equal(GoldenTraining.Integers(expected[i].GetProperty("labels")), samples[i].Text.Labels);
            Assert.Equal(expected[i].GetProperty("loss").GetDouble(), trainer.Accumulate(samples[i], 1.0 / samples.Length, TestContext.Current.CancellationToken), 1e-5);
        }

        Assert.Equal(1, trainer.Parameters.GradientNorm() / facts.RootElement.GetProperty("gradient_norm").GetDouble(), 1e-3);
        using TensorFile gradients = TensorFile.OpenSafetensors(GoldenTraining.PathOf("gradients.safetensors"));
        Assert.Equal(gradients.Tensors.Count, trainer.Parameters.Parameters.Length);
        List<string> wrong = [];
        for (int i = 0; i < trainer.Parameters.Parameters.Length; i++)
        {
            string name = trainer.Parameters.Parameters[i].Name;
            Assert.True(gradients.TryGet(name, out HostTensor tensor), name);
            Span<float> found = trainer.Parameters.Read(i, ParameterPart.Gradient);
            double distance = GoldenTraining.Distance(found, HostTensorValues.ToFloats(tensor));
            bool isZero = name.EndsWith("k_proj.bias", StringComparison.Ordinal);
            if (isZero ? Norm(found) > RoundingOfZero : distance > 1e-4)
                wrong.Add($"{name}: {distance:g3}, norm {Norm(found):g3}");
        }

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 0)]
    [InlineData(2, 3)]
    [InlineData(2, 7)]
    public void Gradients_depend_neither_on_threads_nor_on_what_is_recomputed(int threads, int recomputedLayers)
    {
        float[][] first = Gradients(2, 0), second = Gradients(threads, recomputedLayers);
        for (int i = 0; i < first.Length; i++)
            Assert.Equal(first[i], second[i]);
    }

    [Fact]
    public void Samples_in_one_pass_have_the_losses_and_gradients_of_samples_alone()
    {
        using var backend = new CpuBackend(2);
        using var alone = new Trainer(GoldenTraining.Model, everything, backend);
        using var packed = new Trainer(GoldenTraining.Model, everything, backend);
        PreparedSample[] samples = GoldenTraining.Samples(alone.Config);
        double[] losses = packed.Accumulate(samples, 1.0 / samples.Length, TestContext.Current.CancellationToken);
        for (int i = 0; i < samples.Length; i++)
            Assert.Equal(alone.Accumulate(samples[i], 1.0 / samples.Length, TestContext.Current.CancellationToken), losses[i], 1e-6);
        for (int i = 0; i < alone.Parameters.Parameters.Length; i++)
        {
            Span<float> expected = alone.Parameters.Read(i, ParameterPart.Gradient);
            if (Norm(expected) > RoundingOfZero)
                Assert.InRange(GoldenTraining.Distance(packed.Parameters.Read(i, ParameterPart.Gradient), expected.ToArray()), 0, 1e-5);
        }
    }

    [Fact]
    public void Frozen_weights_have_no_gradient_and_no_parameter()
    {
        using var backend = new CpuBackend(1);
        using var trainer = new Trainer(GoldenTraining.Model, TrainingRecipe.Pretrain, backend);
        ComputeGraph graph = trainer.PlanFor(new RowCounts(64, 16, 1), 0).Graph;
        string[] gradients = [.. graph.Tensors.Where(tensor => tensor.Role == TensorRole.Gradient).Select(tensor => tensor.Name)];
        Assert.Equal(103, gradients.Length);
        Assert.Equal(103, trainer.Parameters.Parameters.Length);
        Assert.DoesNotContain("model.layers.0.attention.wqkv.weight.gradient", gradients);
        Assert.Contains("model.layers.0.attention.wqkv.Plora_A.weight.gradient", gradients);
    }

    [Fact]
    public void Recomputed_layers_take_less_memory()
    {
        using var backend = new CpuBackend(1);
        using var trainer = new Trainer(GoldenTraining.Model, everything, backend);
        long[] bytes = [.. Enumerable.Range(0, 8).Select(layers => trainer.PlanFor(new RowCounts(512, 64, 8), layers).ArenaBytes)];
        Assert.Equal(bytes.OrderDescending(), bytes);
        Assert.True(bytes[7] < 0.7 * bytes[0], $"{bytes[7]} bytes against {bytes[0]}");
        foreach (int layers in (int[])[0, 1, 4, 7])
        {
            ActivationChoice choice = ActivationChoice.Fit(7, bytes[layers], count => trainer.PlanFor(new RowCounts(512, 64, 8), count));
            Assert.Equal(Array.IndexOf(bytes, bytes[layers]), choice.RecomputedLayers);
            Assert.Equal(bytes[layers], choice.Plan.ArenaBytes);
        }

        var refused = Assert.Throws<GraphException>(() => ActivationChoice.Fit(7, bytes[7] - 1, count => trainer.PlanFor(new RowCounts(512, 64, 8), count)));
        Assert.Equal($"graph 'model training': activations: expected at most {bytes[7] - 1} bytes, found {bytes[0]}, or {bytes[7]} with all 7 layers recomputed", refused.Message);
    }

    private static float[][] Gradients(int threads, int recomputedLayers)
    {
        using var backend = new CpuBackend(threads);
        using var trainer = new Trainer(GoldenTraining.Model, everything, backend) { RecomputedLayers = recomputedLayers };
        foreach (PreparedSample sample in GoldenTraining.Samples(trainer.Config).Where(sample => sample.Id is "0" or "3"))
            trainer.Accumulate(sample, 0.5, TestContext.Current.CancellationToken);
        return [.. Enumerable.Range(0, trainer.Parameters.Parameters.Length).Select(i => trainer.Parameters.Read(i, ParameterPart.Gradient).ToArray())];
    }

    private static double Norm(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values)
            sum += (double)value * value;
        return Math.Sqrt(sum);
    }
}
