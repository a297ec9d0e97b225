using System.Text.Json;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using XComposer2.Native.Training;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>Four steps of each recipe, against PyTorch's AdamW.</summary>
public sealed class RecipeTests
{
    // AdamW divides by the size of a gradient. Of a gradient that is zero, rounding leaves up to a tenth of epsilon, and so it moves the weight by up to a tenth of the rate.
    private const double RoundingShare = 0.1;

    private static readonly AdapterSettings adapter = new(8, 16);

    [Theory]
    [InlineData("pretrain")]
    [InlineData("sft")]
    [InlineData("finetune")]
    [InlineData("lora")]
    public void Four_steps_give_the_losses_norms_and_weights_of_pytorch(string name)
    {
        TrainingRecipe recipe = name switch
        {
            "pretrain" => TrainingRecipe.Pretrain,
            "sft" => TrainingRecipe.SupervisedFineTuning,
            "finetune" => TrainingRecipe.FineTune,
            _ => TrainingRecipe.Lora with { Adapter = adapter },
        };
        Assert.Equal(name, recipe.Name);
        using JsonDocument facts = GoldenTraining.Json("steps.json");
        JsonElement expected = facts.RootElement.GetProperty("recipes").GetProperty(name);
        using var backend = new CpuBackend(2);
        using var trainer = new Trainer(GoldenTraining.Model, recipe, backend);
        if (name == "lora")
            Load(trainer, "lora-start.safetensors");
        PreparedSample[] samples = GoldenTraining.Samples(trainer.Config);
        JsonElement[] steps = [.. expected.GetProperty("steps").EnumerateArray()];
        var schedule = new RateSchedule(steps.Length, expected.GetProperty("warmup_steps").GetInt32());
        for (int step = 0; step < steps.Length; step++)
        {
            double[] losses = [.. steps[step].GetProperty("losses").EnumerateArray().Select(loss => loss.GetDouble())];
            for (int k = 0; k < losses.Length; k++)
                Assert.Equal(losses[k], trainer.Accumulate(samples[((3 * step) + k) % samples.Length], 1.0 / losses.Length, TestContext.Current.CancellationToken), 1e-4);
            Assert.Equal(steps[step].GetProperty("rate_factor").GetDouble(), schedule.FactorAt(step), 1e-12);
            Assert.Equal(1, trainer.Update(schedule.FactorAt(step)) / steps[step].GetProperty("gradient_norm").GetDouble(), 1e-3);
        }

        JsonProperty[] trained = [.. expected.GetProperty("trained").EnumerateObject()];
        Assert.Equal(trained.Length, trainer.Parameters.Parameters.Length);
        List<string> wrong = [];
        foreach (JsonProperty parameter in trained)
        {
            int number = trainer.Parameters.Find(NameOf(parameter.Name));
            Assert.Equal(parameter.Value.GetProperty("rate").GetDouble(), trainer.Rates[number].Rate, 1e-15);
            Assert.Equal(parameter.Value.GetProperty("weight_decay").GetDouble(), trainer.Rates[number].WeightDecay, 1e-15);
            Span<float> values = trainer.Parameters.Read(number, ParameterPart.Values);
            double[] wanted = [.. parameter.Value.GetProperty("values").EnumerateArray().Select(value => value.GetDouble())];
            int[] at = GoldenTraining.Integers(parameter.Value.GetProperty("at"));
            double worst = 0;
            for (int i = 0; i < at.Length; i++)
                worst = Math.Max(worst, Math.Abs(values[at[i]] - wanted[i]));
            if (worst > (HasNoGradient(parameter.Name) ? RoundingShare * trainer.Rates[number].Rate * steps.Length : 1e-6))
                wrong.Add($"{parameter.Name}: {worst:g3}");
        }

        Assert.Empty(wrong);
        if (name == "lora")
            RequireAdapter(trainer);
    }

    [Fact]
    public void Warm_up_is_one_percent_of_the_steps_and_at_least_one()
    {
        Assert.Equal(new RateSchedule(3000, 30), RateSchedule.For(3000));
        Assert.Equal(new RateSchedule(20, 1), RateSchedule.For(20));
        Assert.Equal(0.1, new RateSchedule(3000, 30).FactorAt(2), 1e-12);
        Assert.Equal(0, new RateSchedule(3000, 30).FactorAt(3000), 1e-12);
    }

    // The written adapter has the golden tensors, and the model that chat loads with it is the one that was trained.
    private static void RequireAdapter(Trainer trainer)
    {
        string folder = Directory.CreateTempSubdirectory("xc2-adapter-").FullName;
        try
        {
            trainer.Save(folder);
            using TensorFile written = TensorFile.OpenSafetensors(Path.Combine(folder, "adapter_model.safetensors"));
            using TensorFile expected = TensorFile.OpenSafetensors(GoldenTraining.PathOf("lora-end.safetensors"));
            Assert.Equal(expected.Tensors.Count, written.Tensors.Count);
            (int apart, int count) = (0, 0);
            foreach (CheckpointTensor tensor in expected.Tensors)
            {
                Assert.True(written.TryGet(tensor.Name, out HostTensor found) & expected.TryGet(tensor.Name, out HostTensor wanted), tensor.Name);
                Assert.Equal(wanted.Shape, found.Shape);
                float[] values = HostTensorValues.ToFloats(found), golden = HostTensorValues.ToFloats(wanted);
                for (int i = 0; i < golden.Length; i++)
                    apart += Math.Abs(golden[i] - values[i]) > 1e-6f ? 1 : 0;
                Assert.InRange(GoldenTraining.Distance(values, golden), 0, 2e-6);
                count += golden.Length;
            }

            // An element whose gradient happens to be rounding moves as rounding does.
            Assert.True(apart * 10_000 < count, $"{apart} of {count} values are more than 1e-6 apart");

            using Checkpoint plain = CheckpointFolder.Open(GoldenTraining.Model, new CheckpointOptions());
            using Checkpoint merged = CheckpointFolder.Open(GoldenTraining.Model, new CheckpointOptions { Adapters = [folder] });
            const string Name = "model.layers.1.feed_forward.w2.weight";
            Assert.True(plain.TryGet(Name, out HostTensor before) & merged.TryGet(Name, out HostTensor after));
            Assert.NotEqual(HostTensorValues.ToFloats(before), HostTensorValues.ToFloats(after));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // A key's bias adds the same to every score of a query: softmax does not see it.
    private static bool HasNoGradient(string name) => name.EndsWith("k_proj.bias", StringComparison.Ordinal);

    private static void Load(Trainer trainer, string file)
    {
        using TensorFile start = TensorFile.OpenSafetensors(GoldenTraining.PathOf(file));
        for (int i = 0; i < trainer.Parameters.Parameters.Length; i++)
        {
            Assert.True(start.TryGet(trainer.Parameters.Parameters[i].Name, out HostTensor tensor), trainer.Parameters.Parameters[i].Name);
            HostTensorValues.ToFloats(tensor).CopyTo(trainer.Parameters.Read(i, ParameterPart.Values));
        }
    }

    // The golden file calls an adapter's matrices MODULE.A and MODULE.B.
    private static string NameOf(string golden) => golden.EndsWith(".A", StringComparison.Ordinal) || golden.EndsWith(".B", StringComparison.Ordinal)
        ? $"base_model.model.{golden[..^2]}.lora_{golden[^1]}.weight"
        : golden;
}
