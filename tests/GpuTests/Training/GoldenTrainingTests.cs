using System.Text.Json;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using XComposer2.Native.Training;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Losses, gradients and steps of the whole model on the device, against PyTorch in float32.</summary>
public sealed class GoldenTrainingTests(GpuDevice device)
{
    // A key's bias adds the same to every score of a query, which softmax does not see: its gradient is zero, and what a program computes is what rounding left.
    private const double RoundingOfZero = 1e-8;

    // AdamW divides it by its own size: a tenth of a rate in each step.
    private const double RoundingShare = 0.1;

    private static string Model => SharedMaterial.Find("demo-model/checkpoint");

    [Fact]
    public void Losses_and_gradients_of_all_weights_are_those_of_pytorch()
    {
        using CudaBackend backend = Backend(DType.F32);
        using var trainer = new Trainer(Model, TrainingRecipe.SupervisedFineTuning with { LanguageScale = 1 }, backend);
        PreparedSample[] samples = Samples(trainer.Config);
        using JsonDocument facts = Json("steps.json");
        double[] expected = [.. facts.RootElement.GetProperty("samples").EnumerateArray().Select(sample => sample.GetProperty("loss").GetDouble())];
        double[] losses = trainer.Accumulate(samples, 1.0 / samples.Length, TestContext.Current.CancellationToken);
        for (int i = 0; i < losses.Length; i++)
            Assert.Equal(expected[i], losses[i], 1e-5);
        Assert.Equal(1, trainer.Parameters.GradientNorm() / facts.RootElement.GetProperty("gradient_norm").GetDouble(), 1e-3);
        using TensorFile gradients = TensorFile.OpenSafetensors(PathOf("gradients.safetensors"));
        List<string> wrong = [];
        for (int i = 0; i < trainer.Parameters.Parameters.Length; i++)
        {
            string name = trainer.Parameters.Parameters[i].Name;
            Assert.True(gradients.TryGet(name, out HostTensor tensor), name);
            Span<float> found = trainer.Parameters.Read(i, ParameterPart.Gradient);
            (double distance, double norm) = Distance(found, HostTensorValues.ToFloats(tensor));
            if (name.EndsWith("k_proj.bias", StringComparison.Ordinal) ? norm > RoundingOfZero : distance > 1e-4)
                wrong.Add($"{name}: {distance:g3}, norm {norm:g3}");
        }

        Assert.Empty(wrong);
    }

    /// <summary>Layers recomputed, on tensor cores: not PyTorch's numbers, but near them, and the same each time.</summary>
    [Fact]
    public void Gradients_on_tensor_cores_are_near_and_the_same_each_time()
    {
        device.Require("bf16");
        (double[] losses, float[][] gradients)[] runs = [.. Enumerable.Range(0, 2).Select(_ => OnTensorCores())];
        Assert.Equal(runs[0].losses, runs[1].losses);
        for (int i = 0; i < runs[0].gradients.Length; i++)
            Assert.Equal(runs[0].gradients[i], runs[1].gradients[i]);
        using JsonDocument facts = Json("steps.json");
        JsonElement expected = facts.RootElement.GetProperty("samples");
        Assert.Equal(expected[0].GetProperty("loss").GetDouble(), runs[0].losses[0], 0.02);

        (double[], float[][]) OnTensorCores()
        {
            using CudaBackend backend = Backend(DType.BF16);
            using var trainer = new Trainer(Model, TrainingRecipe.Pretrain, backend) { RecomputedLayers = 7 };
            double[] losses = trainer.Accumulate(Samples(trainer.Config)[..1], 1, TestContext.Current.CancellationToken);
            return (losses, [.. Enumerable.Range(0, trainer.Parameters.Parameters.Length).Select(i => trainer.Parameters.Read(i, ParameterPart.Gradient).ToArray())]);
        }
    }

    /// <summary>A gradient through frozen integers, and scores of a held-out sample, against the processor's.</summary>
    [Theory]
    [InlineData("int8", 1)]
    [InlineData("int4", 3)]
    public void Integers_are_passed_backwards_as_on_the_processor(string weights, int sample)
    {
        WeightQuantization quantization = weights == "int8" ? WeightQuantization.Int8 : WeightQuantization.Int4;
        using CudaBackend cuda = Backend(DType.F32);
        using var cpu = new CpuBackend(2);
        (double loss, float[][] gradients) expected = Of(cpu), found = Of(cuda);
        Assert.Equal(expected.loss, found.loss, 1e-5);
        double worst = expected.gradients.Zip(found.gradients, (wanted, values) => Distance(values, wanted).Distance).Max();
        Assert.True(worst <= 1e-4, $"{worst:g3} relative");

        (double, float[][]) Of(ITrainingBackend backend)
        {
            using var trainer = new Trainer(Model, TrainingRecipe.Lora with { Adapter = new AdapterSettings(8, 16) }, backend, 3, quantization);
            PreparedSample[] chosen = [Samples(trainer.Config)[sample]];
            // B of a new adapter is zero, and A would have no gradient.
            for (int i = 0; i < trainer.Parameters.Parameters.Length; i++)
                if (trainer.Parameters.Parameters[i].Name.Contains(".lora_B.", StringComparison.Ordinal))
                    Vary(trainer.Parameters.Read(i, ParameterPart.Values));
            double loss = trainer.Accumulate(chosen, 1, TestContext.Current.CancellationToken)[0];
            return (loss, [.. Enumerable.Range(0, trainer.Parameters.Parameters.Length).Select(i => trainer.Parameters.Read(i, ParameterPart.Gradient).ToArray())]);
        }

        static void Vary(Span<float> values)
        {
            for (int i = 0; i < values.Length; i++)
                values[i] = (float)Math.Sin(i) / 64;
        }
    }

    [Theory]
    [InlineData("pretrain")]
    [InlineData("lora")]
    public void Steps_give_the_losses_norms_and_weights_of_pytorch(string name)
    {
        TrainingRecipe recipe = name == "lora" ? TrainingRecipe.Lora with { Adapter = new AdapterSettings(8, 16) } : TrainingRecipe.Pretrain;
        using JsonDocument facts = Json("steps.json");
        JsonElement expected = facts.RootElement.GetProperty("recipes").GetProperty(name);
        using CudaBackend backend = Backend(DType.F32);
        using var trainer = new Trainer(Model, recipe, backend);
        if (name == "lora")
            Load(trainer.Parameters, "lora-start.safetensors");
        PreparedSample[] samples = Samples(trainer.Config);
        JsonElement[] steps = [.. expected.GetProperty("steps").EnumerateArray()];
        var schedule = new RateSchedule(steps.Length, expected.GetProperty("warmup_steps").GetInt32());
        for (int step = 0; step < steps.Length; step++)
        {
            double[] losses = [.. steps[step].GetProperty("losses").EnumerateArray().Select(loss => loss.GetDouble())];
            PreparedSample[] chosen = [.. losses.Select((_, k) => samples[((3 * step) + k) % samples.Length])];
            double[] found = trainer.Accumulate(chosen, 1.0 / losses.Length, TestContext.Current.CancellationToken);
            for (int k = 0; k < losses.Length; k++)
                Assert.Equal(losses[k], found[k], 1e-4);
            Assert.Equal(1, trainer.Update(schedule.FactorAt(step)) / steps[step].GetProperty("gradient_norm").GetDouble(), 1e-3);
        }

        List<string> wrong = [];
        foreach (JsonProperty parameter in expected.GetProperty("trained").EnumerateObject())
        {
            int number = Find(trainer.Parameters, parameter.Name);
            Span<float> values = trainer.Parameters.Read(number, ParameterPart.Values);
            double[] wanted = [.. parameter.Value.GetProperty("values").EnumerateArray().Select(value => value.GetDouble())];
            int[] at = [.. parameter.Value.GetProperty("at").EnumerateArray().Select(value => value.GetInt32())];
            double worst = 0;
            for (int i = 0; i < at.Length; i++)
                worst = Math.Max(worst, Math.Abs(values[at[i]] - wanted[i]));
            bool hasNoGradient = parameter.Name.EndsWith("k_proj.bias", StringComparison.Ordinal);
            if (worst > (hasNoGradient ? RoundingShare * trainer.Rates[number].Rate * steps.Length : 1e-6))
                wrong.Add($"{parameter.Name}: {worst:g3}");
        }

        Assert.Empty(wrong);
    }

    private CudaBackend Backend(DType storage) => new(new CudaBackendOptions { Device = new Cuda.CudaOptions { DriverLibrary = device.Context.Driver.Library }, Storage = storage });

    private static string PathOf(string file) => SharedMaterial.Find("golden/training/" + file);

    private static JsonDocument Json(string file) => JsonDocument.Parse(File.ReadAllBytes(PathOf(file)));

    private static PreparedSample[] Samples(ModelConfig config)
    {
        var preparer = new SamplePreparer(config, new TrainingText(TextTokenizer.Load(Model)), config.ContextLength);
        return [.. ConversationFile.Read(PathOf("samples.json")).Select(preparer.Prepare)];
    }

    private static void Load(IParameterMemory parameters, string file)
    {
        using TensorFile start = TensorFile.OpenSafetensors(PathOf(file));
        for (int i = 0; i < parameters.Parameters.Length; i++)
        {
            Assert.True(start.TryGet(parameters.Parameters[i].Name, out HostTensor tensor), parameters.Parameters[i].Name);
            HostTensorValues.ToFloats(tensor).CopyTo(parameters.Read(i, ParameterPart.Values));
        }
    }

    // The golden file calls an adapter's matrices MODULE.A and MODULE.B.
    private static int Find(IParameterMemory parameters, string golden)
    {
        string name = golden.EndsWith(".A", StringComparison.Ordinal) || golden.EndsWith(".B", StringComparison.Ordinal) ? $"base_model.model.{golden[..^2]}.lora_{golden[^1]}.weight" : golden;
        int number = parameters.Parameters.ToList().FindIndex(parameter => parameter.Name == name);
        Assert.True(number >= 0, name);
        return number;
    }

    private static (double Distance, double Norm) Distance(ReadOnlySpan<float> found, ReadOnlySpan<float> expected)
    {
        (double difference, double norm, double own) = (0, 0, 0);
        for (int i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow((double)found[i] - expected[i], 2);
            norm += Math.Pow(expected[i], 2);
            own += Math.Pow(found[i], 2);
        }

        return (norm == 0 ? Math.Sqrt(difference) : Math.Sqrt(difference / norm), Math.Sqrt(own));
    }
}
