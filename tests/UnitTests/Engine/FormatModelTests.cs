using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The whole demo model in formats that no option offers yet, and with every cache that the processor has.</summary>
public sealed class FormatModelTests
{
    public static TheoryData<WeightFormat, double, double> Weights => new()
    {
        { WeightFormat.Int8, 1e-4, 0.05 }, { WeightFormat.Grouped(8, 128), 1e-4, 0.05 }, { WeightFormat.Grouped(4, 32, true), 1e-3, 0.4 },
    };

    /// <summary>Prefill runs packed panels, decode streams: both read the same numbers.</summary>
    [Theory]
    [MemberData(nameof(Weights))]
    public void Quantised_weights_run_through_the_whole_model(WeightFormat format, double least, double most)
    {
        using var exact = new DemoModel();
        using var quantised = new DemoModel(change: source => new QuantizedWeights(source, format));
        (float[] expected, float[] found) = (Logits(exact), Logits(quantised));
        Assert.InRange(RelativeL2(expected, found), least, most);
    }

    public static TheoryData<DType, double> Caches => new() { { DType.BF16, 2e-2 }, { DType.F16, 2e-3 }, { DType.I8, 3e-2 } };

    [Theory]
    [MemberData(nameof(Caches))]
    public void A_rounded_cache_moves_the_logits_by_its_rounding(DType elements, double most)
    {
        using var exact = new DemoModel();
        using var rounded = new DemoModel(cache: CacheFormat.Of(elements));
        Assert.InRange(RelativeL2(Logits(exact), Logits(rounded)), most / 1000, most);
    }

    /// <summary>A forked sequence copies whole pages, scales included.</summary>
    [Fact]
    public void A_copied_page_of_an_int8_cache_gives_the_same_logits()
    {
        using var model = new DemoModel(cache: CacheFormat.Int8);
        using var sequence = new KeyValueSequence(model.Runner.Pool);
        model.Prefill(sequence, DemoModel.Prompt(75, null, 0));
        using KeyValueSequence fork = sequence.Fork();
        float[] expected = model.Decode(sequence, 400).ToArray();
        Accuracy.Same(expected, model.Decode(fork, 400), "fork");
    }

    [Fact]
    public void A_group_that_there_is_not_is_named()
    {
        GraphException error = Assert.Throws<GraphException>(() =>
        {
            using var model = new DemoModel(change: source => new WrongGroup(new QuantizedWeights(source, WeightFormat.Grouped(8, 128, hasGroupIndex: true))));
            Logits(model);
        });
        Assert.EndsWith("attention.wqkv.weight.group': expected groups of 0 to 1, found 2 for column 7", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The plan counts the cache that the backend has.</summary>
    [Theory]
    [InlineData(DType.F32, 64 * 4)]
    [InlineData(DType.BF16, 64 * 2)]
    [InlineData(DType.I8, 64 + 4)]
    public void The_plan_counts_the_bytes_of_the_cache_format(DType elements, int headBytes)
    {
        using LoadedModel model = LoadedModel.Open(
            TestPaths.Repository("tools/demo/checkpoint"), new DeviceOptions { Kind = DeviceKind.Cpu, Threads = 2, Cache = CacheFormat.Of(elements) });
        ModelMemoryPlan plan = ModelMemoryPlan.For(model, EngineSizes.ForOne(model.Config, 512), EmbeddingPlace.Device);
        MemoryItem cache = Assert.Single(plan.Allocated.Items, item => item.Name.StartsWith("KV cache", StringComparison.Ordinal));
        DecoderConfig decoder = model.Config.Decoder;
        Assert.Equal(64, decoder.Attention.HeadSize);
        Assert.Equal(9L * KeyValuePages.TokensPerPage * decoder.LayerCount * 2 * decoder.Attention.KeyValueHeads * headBytes, cache.Bytes);
        Assert.EndsWith(elements.ToString(), cache.Name, StringComparison.Ordinal);
    }

    private static float[] Logits(DemoModel model)
    {
        using var sequence = new KeyValueSequence(model.Runner.Pool);
        model.Prefill(sequence, DemoModel.Prompt(75, null, 0));
        return model.Decode(sequence, 400).ToArray();
    }

    private static double RelativeL2(float[] expected, float[] found)
    {
        double error = 0, norm = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            error += Math.Pow(found[i] - expected[i], 2);
            norm += Math.Pow(expected[i], 2);
        }

        return Math.Sqrt(error / norm);
    }

    private sealed unsafe class WrongGroup(IWeightSource source) : IWeightSource
    {
        public bool TryGet(string name, out HostTensor tensor)
        {
            bool found = source.TryGet(name, out tensor);
            if (found && WeightFormat.Parse(name).Part == WeightPart.GroupIndex)
                ((int*)tensor.Data)[7] = 2;
            return found;
        }

        public bool TryDescribe(string name, out HostTensor facts) => source.TryDescribe(name, out facts);

        public bool TryGetFormat(string name, out WeightFormat format) => source.TryGetFormat(name, out format);

        public void Dispose() => source.Dispose();
    }
}
