using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe partial class QuantizedWeightsTests
{
    private const string ScaleSuffix = ".scale";

    private const string Output = "model.layers.1.attention.wo.weight";

    private static readonly ModelConfig tiny = ModelConfigReader.Resolve("config.json", Encoding.UTF8.GetBytes(TinyCheckpoint.ConfigJson), []);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Presets => [.. ModelPresets.Names];

    /// <summary>Partial LoRA, norms, embeddings, head and the whole of the picture's part stay as they are, and asking what is there makes nothing.</summary>
    [Theory]
    [MemberData(nameof(Presets))]
    public void The_decoders_linears_are_quantised_and_nothing_else(string preset)
    {
        ModelConfig config = ModelPresets.Find(preset);
        using CountedWeights source = new(new SyntheticWeights(config));
        using QuantizedWeights weights = new(source, WeightQuantization.Int8);
        int quantised = 0;
        foreach (ExpectedTensor expected in ModelTensors.Expected(config))
        {
            Assert.True(weights.TryDescribe(expected.Name, out HostTensor facts));
            bool isLinear = DecoderLinear().IsMatch(expected.Name);
            Assert.Equal(isLinear, WeightQuantization.Int8.FormatOf(expected.Name) is not null);
            Assert.Equal(new HostTensor(0, isLinear ? DType.I8 : DType.BF16, expected.Shape), facts);
            Assert.Equal(isLinear, weights.TryDescribe(expected.Name + ScaleSuffix, out HostTensor scales));
            if (isLinear)
                Assert.Equal(new HostTensor(0, DType.F32, new Shape(expected.Shape[0])), scales);
            quantised += isLinear ? 1 : 0;
        }

        Assert.Equal(5 * config.Decoder.LayerCount, quantised);
        Assert.Equal((0L, 0L), (weights.TotalBytes, source.MostBytesInUse));
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void A_weight_is_that_of_the_quantiser_and_the_rest_is_the_sources(DType type)
    {
        SyntheticWeights source = new(tiny, 3, type);
        using QuantizedWeights weights = new(source, WeightQuantization.Int8);
        foreach (ExpectedTensor expected in ModelTensors.Expected(tiny))
        {
            Assert.True(source.TryGet(expected.Name, out HostTensor stored));
            if (!DecoderLinear().IsMatch(expected.Name))
            {
                Assert.True(weights.TryGet(expected.Name, out HostTensor same));
                Assert.Equal(stored, same);
                continue;
            }

            using Int8Rows rows = Int8Rows.Quantize(stored, expected.Name, Cancellation);
            Assert.True(weights.TryGet(expected.Name, out HostTensor values) & weights.TryGet(expected.Name + ScaleSuffix, out HostTensor scales));
            Assert.Equal((DType.I8, expected.Shape), (values.Type, values.Shape));
            Assert.Equal(Bytes(rows.Values), Bytes(values));
            Assert.Equal(Bytes(rows.Scales), Bytes(scales));
        }

        Assert.False(weights.TryGet("nothing", out _));
        Assert.False(weights.TryGet("model.layers.9.attention.wo.weight", out _));
        Assert.False(weights.TryDescribe("model.layers.9.attention.wo.weight.scale", out _));
        Assert.False(weights.TryGet("output.weight.scale", out _));
    }

    /// <summary>What a load needs at its peak: the integers, and one weight as stored.</summary>
    [Fact]
    public void One_weight_at_a_time_is_in_both_forms()
    {
        ModelConfig config = ModelPresets.Find(ModelPresets.VisionLanguage1B8).WithLayers(2);
        using CountedWeights source = new(new SyntheticWeights(config));
        using QuantizedWeights weights = new(source, WeightQuantization.Int8);
        weights.QuantizeAll(config, Cancellation);
        ExpectedTensor[] linears = [.. ModelTensors.Expected(config).Where(tensor => DecoderLinear().IsMatch(tensor.Name))];
        Assert.Equal(linears.Max(tensor => tensor.Shape.ElementCount * 2), source.MostBytesInUse);
        Assert.Empty(source.InUse);
        Assert.Equal(linears.Sum(tensor => tensor.Shape.ElementCount + (4 * tensor.Shape[0])), weights.TotalBytes);
        Assert.Equal(linears.Select(tensor => tensor.Name).Order(), source.Asked.Keys.Order());
        Assert.All(source.Asked.Values, times => Assert.Equal(1, times));
    }

    [Fact]
    public void What_is_released_is_freed_and_made_anew_with_the_same_bits()
    {
        using CountedWeights source = new(new SyntheticWeights(tiny));
        using QuantizedWeights weights = new(source, WeightQuantization.Int8);
        Assert.True(weights.TryGet(Output, out HostTensor values) & weights.TryGet(Output + ScaleSuffix, out HostTensor scales));
        (byte[] before, byte[] scalesBefore) = (Bytes(values), Bytes(scales));
        foreach (string name in new[] { Output, Output + ScaleSuffix })
        {
            weights.Release(name);
            Assert.Equal(0, weights.TotalBytes);
            Assert.True(weights.TryGet(Output, out values) & weights.TryGet(Output + ScaleSuffix, out scales));
            Assert.Equal(before, Bytes(values));
            Assert.Equal(scalesBefore, Bytes(scales));
        }

        Assert.Equal(3, source.Asked[Output]);
        weights.Release(Output);
        weights.Release(Output);
        weights.Release("nothing");
        Assert.True(weights.TryGet("model.norm.weight", out _));
        Assert.Equal(["model.norm.weight"], source.InUse);
        weights.Release("model.norm.weight");
        Assert.Empty(source.InUse);
    }

    [Fact]
    public void Threads_that_ask_at_once_get_one_weight()
    {
        using CountedWeights source = new(new SyntheticWeights(tiny));
        using QuantizedWeights weights = new(source, WeightQuantization.Int8);
        string[] names = [.. ModelTensors.Expected(tiny).Select(tensor => tensor.Name).Where(name => DecoderLinear().IsMatch(name))];
        nint[][] found = new nint[8][];
        Parallel.For(0, found.Length, thread => found[thread] = [.. names.Select(name => weights.TryGet(name, out HostTensor tensor) ? tensor.Data : 0)]);
        Assert.All(found, addresses => Assert.Equal(found[0], addresses));
        Assert.DoesNotContain((nint)0, found[0]);
        Assert.All(names, name => Assert.Equal(1, source.Asked[name]));
    }

    [Fact]
    public void The_source_is_its_own() => Assert.True(DisposedWith(source => new QuantizedWeights(source, WeightQuantization.Int8).Dispose()));

    /// <summary>The first one in the matrix, whichever thread met one first; and nothing is left of it.</summary>
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void A_weight_that_is_not_finite_is_named_with_its_place(float bad)
    {
        using TinyCheckpoint folder = new();
        Dictionary<string, TinyTensor> tensors = TinyCheckpoint.Tensors();
        tensors[Output] = TinyTensor.F32(new Shape(16, 16), i => i is 75 or 200 ? bad : 1);
        folder.WriteSafetensors("model.safetensors", tensors);
        using CountedWeights source = new(folder.Open());
        using QuantizedWeights weights = new(source, WeightQuantization.Int8);
        TinyCheckpoint.Refused(() => weights.TryGet(Output, out _), Output, "row 4, column 11", "finite");
        TinyCheckpoint.Refused(() => weights.QuantizeAll(tiny, Cancellation), Output);
        Assert.Empty(source.InUse);
        Assert.True(weights.TryGet("model.layers.0.attention.wo.weight", out _));
    }

    [Fact]
    public void A_cancelled_load_stops_between_weights()
    {
        using CountedWeights source = new(new SyntheticWeights(tiny));
        using QuantizedWeights weights = new(source, WeightQuantization.Int8);
        using CancellationTokenSource cancelled = new();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => weights.QuantizeAll(tiny, cancelled.Token));
        Assert.Equal(0, weights.TotalBytes);
    }

    /// <summary>Every layout that a checkpoint may have; its files are as they were.</summary>
    [Theory]
    [InlineData("gqa-head64-fp32", DType.F32)]
    [InlineData("mqa-head128-bf16", DType.BF16)]
    [InlineData("fp16-torch-bin", DType.F16)]
    [InlineData("gptq-4bit-128g", DType.F32)]
    public void Every_layout_is_quantised_and_no_file_is_touched(string folder, DType stored)
    {
        string path = TestPaths.Shared($"golden/{folder}");
        byte[][] before = Hashes(path);
        Checkpoint checkpoint = CheckpointFolder.Open(path);
        using (CountedWeights source = new(checkpoint))
        using (QuantizedWeights weights = new(source, WeightQuantization.Int8))
        {
            weights.QuantizeAll(checkpoint.Config, Cancellation);
            Assert.Empty(source.InUse);
            const string Name = "model.layers.1.feed_forward.w2.weight";
            Assert.True(checkpoint.TryGet(Name, out HostTensor floats) & weights.TryGet(Name, out HostTensor integers) & weights.TryGet(Name + ScaleSuffix, out HostTensor scales));
            Assert.Equal(stored, floats.Type);
            float[] exact = HostTensorValues.ToFloats(floats), steps = HostTensorValues.ToFloats(scales);
            ReadOnlySpan<sbyte> rounded = MemoryMarshal.Cast<byte, sbyte>(Bytes(integers));
            for (int i = 0; i < exact.Length; i++)
                Assert.True(MathF.Abs((rounded[i] * steps[i / floats.Shape[1]]) - exact[i]) <= steps[i / floats.Shape[1]] * 0.50001f, $"element {i}: {exact[i]} became {rounded[i]} steps");
        }

        Assert.Equal(before, Hashes(path));
    }

    /// <summary>What a plan says of a preset is what a load of it makes.</summary>
    [Fact]
    public void Planned_facts_are_those_of_a_load()
    {
        using QuantizedWeights weights = new(new SyntheticWeights(tiny), WeightQuantization.Int8);
        using PreparedWeights prepared = new(weights, tiny);
        WeightFacts found = WeightFacts.Of(prepared, tiny), planned = WeightFacts.Uniform(tiny, DType.BF16, WeightQuantization.Int8);
        Assert.Equal((planned.TotalBytes, planned.QuantizedBytes, planned.DecodeBytes), (found.TotalBytes, found.QuantizedBytes, found.DecodeBytes));
        weights.QuantizeAll(tiny, Cancellation);
        Assert.Equal(weights.TotalBytes, found.QuantizedBytes);

        // By hand: 218,103,808 weights and 43,008 rows a layer.
        WeightFacts large = WeightFacts.Uniform(ModelPresets.Find(ModelPresets.VisionLanguage7B), DType.BF16, WeightQuantization.Int8);
        Assert.Equal(32 * (218_103_808L + (4 * 43_008)), large.QuantizedBytes);
        Assert.Equal(0, WeightFacts.Uniform(tiny, DType.BF16).QuantizedBytes);
    }

    [Fact]
    public void Integers_without_a_stated_format_are_refused()
    {
        using TinyCheckpoint folder = new();
        Dictionary<string, TinyTensor> tensors = TinyCheckpoint.Tensors();
        tensors[Output] = new TinyTensor("I8", new Shape(16, 16), new byte[256]);
        folder.WriteSafetensors("model.safetensors", tensors);
        using Checkpoint checkpoint = folder.Open();
        TinyCheckpoint.Refused(() => WeightFacts.Of(checkpoint, tiny), Output, "format", "I8 [16, 16]");
        using QuantizedWeights weights = new(folder.Open(), WeightQuantization.Int8);
        Assert.Contains(Output, Assert.Throws<ArgumentException>(() => weights.TryGet(Output, out _)).Message, StringComparison.Ordinal);
    }

    private static bool DisposedWith(Action<IWeightSource> dispose)
    {
        CountedWeights source = new(new SyntheticWeights(tiny));
        dispose(source);
        return source.IsDisposed;
    }

    private static byte[] Bytes(HostTensor tensor) => new ReadOnlySpan<byte>((void*)tensor.Data, checked((int)tensor.Bytes)).ToArray();

    private static byte[][] Hashes(string folder) => [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(file => SHA256.HashData(File.ReadAllBytes(file)))];

    [GeneratedRegex(@"^model\.layers\.\d+\.(attention\.(wqkv|wo)|feed_forward\.w[123])\.weight$")]
    private static partial Regex DecoderLinear();
}
