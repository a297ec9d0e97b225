using System.Runtime.InteropServices;
using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using XComposer2.Native.Training;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>Gradients that pass through frozen weights of integers, against those of the floats that the integers stand for.</summary>
public sealed unsafe class IntegerGradientTests : IDisposable
{
    private const int Rows = 203, Outputs = 301, Inputs = 136;

    private readonly WorkerPool pool = new(2);
    private readonly byte[] scratch = GC.AllocateUninitializedArray<byte>(16 << 20, pinned: true);
    private readonly string folder = Directory.CreateTempSubdirectory("xc2-integers-").FullName;
    private readonly Random random = new(9);

    public static TheoryData<int, int, bool, bool> Formats => new() { { 8, 0, false, false }, { 8, 32, false, false }, { 8, 64, true, false }, { 4, 32, false, false }, { 4, 128, true, false }, { 4, 8, true, true } };

    public void Dispose()
    {
        pool.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Gradient_of_a_linears_input_is_that_of_the_dequantised_weight_to_the_bit(int bits, int group, bool hasZeroPoints, bool hasGroupIndex)
    {
        WeightFormat format = Format(bits, group, hasZeroPoints, hasGroupIndex);
        Dictionary<WeightPart, byte[]> parts = Parts(format, Outputs, Inputs);
        float[] dense = Dequantized.Of(format, Outputs, Inputs, part => Address(parts, part)), gradient = Values(Rows * Outputs), added = Values(Rows * Inputs);
        foreach (VectorWidth width in (VectorWidth[])[VectorWidth.Bits128, VectorWidth.Bits256, VectorWidth.Bits512])
            Assert.Equal(Run(Pinned(dense), width), Run(Integers(format, parts, Outputs, Inputs), width));

        float[] Run(WeightMatrix weight, VectorWidth width)
        {
            float[] output = new float[Rows * Inputs];
            fixed (float* g = gradient, sum = added, result = output)
            fixed (byte* memory = scratch)
                LinearInputGradientKernel.Run(g, Rows, weight, 0.5f, null, sum, result, memory, scratch.Length, pool, width);
            return output;
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Gradient_of_token_losses_is_that_of_the_dequantised_head(int bits, int group, bool hasZeroPoints, bool hasGroupIndex)
    {
        const int Tokens = 70;
        WeightFormat format = Format(bits, group, hasZeroPoints, hasGroupIndex);
        Dictionary<WeightPart, byte[]> parts = Parts(format, Outputs, Inputs);
        float[] dense = Dequantized.Of(format, Outputs, Inputs, part => Address(parts, part)), rows = Values(Tokens * Inputs), factors = Values(Tokens);
        int[] targets = [.. Enumerable.Range(0, Tokens).Select(i => i * 4)];
        float[] expected = Run(Pinned(dense)), found = Run(Integers(format, parts, Outputs, Inputs));
        Assert.InRange(GoldenTraining.Distance(found, expected), 0, 1e-6);
        Assert.Contains(expected, value => value != 0);

        float[] Run(WeightMatrix head)
        {
            float[] output = new float[Tokens * Inputs];
            fixed (float* x = rows, factor = factors, result = output)
            fixed (int* right = targets)
            fixed (byte* memory = scratch)
            {
                var operands = new TokenLossOperands { Input = x, Rows = Tokens, Head = head, Targets = right, Scratch = memory, ScratchBytes = scratch.Length };
                TokenLossKernel.InputGradient(operands, factor, result, pool);
            }

            return output;
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Gradients_of_adapters_over_a_model_of_integers_are_those_over_its_dequantised_weights(int bits)
    {
        WeightQuantization quantization = bits == 4
            ? new WeightQuantization { Linears = WeightFormat.Grouped(4, 32), Head = WeightFormat.Grouped(4, 64), PartialLora = WeightFormat.Int8, Vision = WeightFormat.Int8, Embeddings = WeightFormat.Int8 }
            : WeightQuantization.Int8;
        Checkpoint checkpoint = CheckpointFolder.Open(GoldenTraining.Model, new CheckpointOptions());
        using var source = new PreparedWeights(new QuantizedWeights(checkpoint, quantization), checkpoint.Config);
        using var dense = new DequantizedWeights(source);
        (double loss, float[][] expected) = AdapterGradients(checkpoint.Config, dense);
        (double found, float[][] gradients) = AdapterGradients(checkpoint.Config, source);
        Assert.Equal(loss, found, 1e-5);
        Assert.Equal(expected.Length, gradients.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Contains(expected[i], value => value != 0);
            Assert.InRange(GoldenTraining.Distance(gradients[i], expected[i]), 0, 2e-5);
        }
    }

    [Fact]
    public void Adapter_over_a_model_of_4_bits_learns_and_is_loaded_again()
    {
        TrainingRecipe recipe = TrainingRecipe.Lora with { Rate = 2e-3, Adapter = new AdapterSettings(4, 4) };
        using var backend = new CpuBackend(2);
        using var trainer = new Trainer(GoldenTraining.Model, recipe, backend, seed: 1, new WeightQuantization { Linears = WeightFormat.Grouped(4, 32), Head = WeightFormat.Int8 });
        Assert.Equal("decoder's linears as int4 by 32, head as int8", trainer.Quantization);
        PreparedSample[] samples = GoldenTraining.Samples(trainer.Config);
        double first = 0, last = 0;
        for (int step = 0; step < 12; step++)
        {
            last = trainer.Accumulate(samples, 1.0 / samples.Length, TestContext.Current.CancellationToken).Average();
            first = step == 0 ? last : first;
            trainer.Update(1);
        }

        Assert.True(last < 0.6 * first, $"loss {first:F3} at first, {last:F3} at last");
        trainer.Save(folder);
        Checkpoint merged = CheckpointFolder.Open(GoldenTraining.Model, new CheckpointOptions { Adapters = [folder] });
        using var again = new PreparedWeights(new QuantizedWeights(merged, WeightFormat.Grouped(4, 32)), merged.Config);
        Assert.True(again.TryGet("model.layers.0.attention.wqkv.weight", out HostTensor weight));
        Assert.Equal(DType.I4, weight.Type);
    }

    [Fact]
    public void Adapter_over_gptq_files_learns_over_their_own_integers()
    {
        using var backend = new CpuBackend(2);
        using var trainer = new Trainer(TestPaths.Shared("golden/gptq-4bit-128g"), TrainingRecipe.Lora with { Rate = 5e-3, Adapter = new AdapterSettings(4, 8) }, backend, seed: 1);
        ComputeGraph graph = trainer.PlanFor(new RowCounts(64, 16, 1), 0).Graph;
        Assert.Equal(DType.I4, graph[graph.Find("model.layers.0.attention.wqkv.weight")].Type);
        int[] ids = [.. Enumerable.Range(3, 40).Select(i => i * 7 % 270)];
        var sample = new PreparedSample("text", new LabelledText(ids, [TrainingText.Ignored, .. ids[1..]]), default, 0);
        double first = 0, last = 0;
        for (int step = 0; step < 20; step++)
        {
            last = trainer.Accumulate(sample, 1, TestContext.Current.CancellationToken);
            first = step == 0 ? last : first;
            trainer.Update(1);
        }

        Assert.True(last < 0.5 * first, $"loss {first:F3} at first, {last:F3} at last");
    }

    [Fact]
    public void Folder_of_integers_is_refused_where_a_whole_model_is_written_and_learnt_over_with_an_adapter()
    {
        string integers = Path.Combine(folder, "integers");
        CheckpointQuantizer.Run(new QuantizationJob(GoldenTraining.Model, integers, new WeightQuantization { Linears = WeightFormat.Grouped(4, 32) }), cancellation: TestContext.Current.CancellationToken);
        using var backend = new CpuBackend(2);
        var refused = Assert.Throws<CheckpointException>(() => new Trainer(integers, TrainingRecipe.FineTune, backend));
        Assert.Contains("because recipe finetune writes a whole model", refused.Message, StringComparison.Ordinal);
        refused = Assert.Throws<CheckpointException>(() => new Trainer(integers, TrainingRecipe.Lora, backend, 0, WeightQuantization.Int8));
        Assert.Contains("expected a floating type, to make it int8", refused.Message, StringComparison.Ordinal);
        using var over = new Trainer(integers, TrainingRecipe.Lora, backend);
        using var loading = new Trainer(GoldenTraining.Model, TrainingRecipe.Lora, backend, 0, new WeightQuantization { Linears = WeightFormat.Grouped(4, 32) });
        PreparedSample[] samples = GoldenTraining.Samples(over.Config);
        Assert.Equal(loading.Accumulate(samples, 1, TestContext.Current.CancellationToken), over.Accumulate(samples, 1, TestContext.Current.CancellationToken));
        Assert.Equal(loading.Parameters.GradientNorm(), over.Parameters.GradientNorm());
    }

    [Fact]
    public void Trained_weights_stay_floats_whatever_the_frozen_ones_are()
    {
        using var backend = new CpuBackend(1);
        using var trainer = new Trainer(GoldenTraining.Model, TrainingRecipe.Pretrain, backend, seed: 0, WeightQuantization.Int4 with { Linears = WeightFormat.Grouped(4, 32) });
        ComputeGraph graph = trainer.PlanFor(new RowCounts(64, 16, 1), 0).Graph;
        Assert.Equal(DType.F32, graph[graph.Find("model.layers.0.attention.wqkv.Plora_A.weight")].Type);
        Assert.Equal(DType.I4, graph[graph.Find("model.layers.0.attention.wqkv.weight")].Type);
    }

    private static (double Loss, float[][] Gradients) AdapterGradients(ModelConfig config, IWeightSource source)
    {
        var adapter = new AdapterSettings(4, 8);
        using var backend = new CpuBackend(2);
        List<ParameterSpec> specs = [];
        foreach (ExpectedTensor expected in ModelTensors.Expected(config))
            if (adapter.Of(expected.Name) is { } parts)
                specs.AddRange([new ParameterSpec(parts.A, new Shape(4, expected.Shape[1])), new ParameterSpec(parts.B, new Shape(expected.Shape[0], 4))]);
        using IParameterMemory parameters = backend.AllocateParameters(specs);
        var values = new Random(2);
        for (int i = 0; i < specs.Count; i++)
            foreach (ref float value in parameters.Read(i, ParameterPart.Values))
                value = (float)((values.NextDouble() - 0.5) * 0.1);
        HashSet<string> trained = [.. specs.Select(spec => spec.Name)];
        using var weights = new AdaptedSource(source, parameters);
        PreparedSample sample = GoldenTraining.Samples(config)[0];
        TrainingGraph training = TrainingNetwork.Build(config, WeightFacts.Of(source, config), sample.Counts, new TrainedParts { IsTrained = trained.Contains, AdapterOf = adapter.Of });
        using IBoundGraph graph = backend.BindTraining(backend.Plan(training.Graph), weights, parameters);
        new SampleInputs(training.Graph, training.Targets!.Value, training.Starts!.Value, config.TokensPerImage).Fill(graph, [sample]);
        graph.Floats(training.OutputGradient).Fill(1f / sample.Counts.Logits);
        graph.Run(sample.Counts, [], TestContext.Current.CancellationToken);
        return (graph.Output(training.Output).ToArray().Average(), [.. specs.Select((_, i) => parameters.Read(i, ParameterPart.Gradient).ToArray())]);
    }

    private static WeightFormat Format(int bits, int group, bool hasZeroPoints, bool hasGroupIndex) => group == 0 ? WeightFormat.Int8 : WeightFormat.Grouped(bits, group, hasZeroPoints, hasGroupIndex);

    private static WeightMatrix Pinned(float[] values) => new(WeightFormat.F32, Outputs, Inputs, Marshal.UnsafeAddrOfPinnedArrayElement(values, 0));

    private static WeightMatrix Integers(WeightFormat format, Dictionary<WeightPart, byte[]> parts, int rows, int columns) =>
        new(format, rows, columns, Address(parts, WeightPart.Elements), Address(parts, WeightPart.Scales), Address(parts, WeightPart.ZeroPoints), Address(parts, WeightPart.GroupIndex));

    private static nint Address(Dictionary<WeightPart, byte[]> parts, WeightPart part) => parts.TryGetValue(part, out byte[]? bytes) ? Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0) : 0;

    // Random integers of the whole range, scales of both sizes.
    private Dictionary<WeightPart, byte[]> Parts(WeightFormat format, int rows, int columns)
    {
        Dictionary<WeightPart, byte[]> parts = [];
        foreach (WeightPartSpec part in format.Parts(new Shape(rows, columns)))
        {
            byte[] bytes = GC.AllocateUninitializedArray<byte>((int)part.Bytes, pinned: true);
            random.NextBytes(bytes);
            if (part.Part == WeightPart.ZeroPoints && format.Elements == DType.U4)
                for (int i = 0; i < bytes.Length; i++)
                    bytes[i] &= 15;
            else if (part.Part == WeightPart.Scales && part.Type == DType.F32)
                foreach (ref float scale in MemoryMarshal.Cast<byte, float>(bytes.AsSpan()))
                    scale = (float)(random.NextDouble() * 0.02);
            else if (part.Part == WeightPart.Scales)
                foreach (ref Half scale in MemoryMarshal.Cast<byte, Half>(bytes.AsSpan()))
                    scale = (Half)(random.NextDouble() * 0.02);
            else if (part.Part == WeightPart.GroupIndex)
                foreach (ref int group in MemoryMarshal.Cast<byte, int>(bytes.AsSpan()))
                    group = random.Next(format.Groups(columns));
            parts.Add(part.Part, bytes);
        }

        return parts;
    }

    private float[] Values(int count)
    {
        float[] values = GC.AllocateUninitializedArray<float>(count, pinned: true);
        foreach (ref float value in values.AsSpan())
            value = (float)((random.NextDouble() * 2) - 1);
        return values;
    }

    private sealed class AdaptedSource(IWeightSource source, IParameterMemory parameters) : IWeightSource
    {
        public bool TryGet(string name, out HostTensor tensor)
        {
            if (!AdapterSettings.IsAdapter(name))
                return source.TryGet(name, out tensor);
            tensor = parameters.Weight(parameters.Find(name));
            return true;
        }

        public bool TryDescribe(string name, out HostTensor facts) => source.TryDescribe(name, out facts);

        public bool TryGetFormat(string name, out WeightFormat format) => source.TryGetFormat(name, out format);

        public void Dispose()
        {
        }
    }
}
