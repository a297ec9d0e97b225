using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The demo's decoder with quantised weights on both backends, and what its weights take on the way to the device.</summary>
public sealed class Int8DecoderTests(GpuDevice device)
{
    private const int Tokens = 37;

    private static readonly ModelConfig demo = ReadConfig();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Text and a picture's rows, whose Partial LoRA is of 16 bits beside integers. In F32 some hundred roundings of 1e-7 lie between two orders of
    /// summation and two exponentials; storage of 16 bits rounds activations, as it does without int8. A wrong scale, row or column is off by 0.1 and more.</summary>
    [Theory]
    [InlineData(DType.F32, 1e-4)]
    [InlineData(DType.F16, 2e-3)]
    [InlineData(DType.BF16, 2e-2)]
    public void Logits_are_the_processors(DType storage, double tolerance)
    {
        if (!device.Supports(storage == DType.BF16 ? DType.BF16 : DType.F16))
            Assert.Skip($"no {storage} before compute capability 8.0");
        using IWeightSource weights = Quantised(), others = Quantised();
        using IBackend cpu = new CpuBackend(2), cuda = new CudaBackend(new CudaBackendOptions { Storage = storage });
        float[] expected = Logits(cpu, weights), found = Logits(cuda, others);
        Accuracy.Close([.. expected.Select(value => (double)value)], found, tolerance, $"logits in {storage}");
    }

    /// <summary>The host has one weight as stored at most, and integers of a pair (gate and up) at most; in the end it has neither, and the device has integers only.</summary>
    [Fact]
    public void No_second_copy_of_the_weights_is_held()
    {
        // A small vocabulary, so that the decoder's linears are the largest weights.
        ModelConfig config = demo.WithLayers(64);
        config = config with { Decoder = config.Decoder with { VocabularySize = 64 } };
        long storedBytes = Load(config, WeightQuantization.None, out _, out _), int8Bytes = Load(config, WeightQuantization.Int8, out CountedWeights stored, out CountedWeights integers);
        DecoderConfig decoder = config.Decoder;
        Assert.Empty(stored.InUse);
        Assert.Empty(integers.InUse);
        Assert.Equal(2L * decoder.IntermediateSize * decoder.HiddenSize, stored.MostBytesInUse);
        Assert.Equal(2L * decoder.IntermediateSize * (decoder.HiddenSize + sizeof(float)), integers.MostBytesInUse);
        long linears = decoder.LayerCount * (long)decoder.HiddenSize * (decoder.Attention.PackedColumns + decoder.Attention.QueryColumns + (3L * decoder.IntermediateSize));
        // A device hands memory out in larger units than a byte, and each row has its scale.
        Assert.InRange(storedBytes - int8Bytes, 0.8 * linears, 1.2 * linears);
    }

    /// <summary>Each weight is quantised once, though prefill and decode both use it.</summary>
    [Fact]
    public void A_weight_is_made_once()
    {
        Load(demo, WeightQuantization.Int8, out CountedWeights stored, out _);
        string[] linears = [.. ModelTensors.Expected(demo).Select(tensor => tensor.Name).Where(name => WeightQuantization.Int8.FormatOf(name) is not null)];
        Assert.All(linears, name => Assert.Equal(1, stored.Asked[name]));
    }

    [Fact]
    public void Rows_that_the_kernels_cannot_take_are_named()
    {
        ModelConfig odd = demo with { Decoder = demo.Decoder with { IntermediateSize = 264 } };
        Load(odd, WeightQuantization.None, out _, out _);
        GraphException error = Assert.Throws<GraphException>(() => Load(odd, WeightQuantization.Int8, out _, out _));
        Assert.Equal("weight 'model.layers.0.feed_forward.w2.weight': expected I8 rows of a multiple of 16 elements on a GPU, found I8 [256, 264]", error.Message);
    }

    /// <summary>Binds prefill and decode, and gives the bytes that the device has less than before.</summary>
    private long Load(ModelConfig config, WeightQuantization quantization, out CountedWeights stored, out CountedWeights served)
    {
        stored = new CountedWeights(new SyntheticWeights(config));
        served = new CountedWeights(quantization == WeightQuantization.Int8 ? new QuantizedWeights(stored, WeightQuantization.Int8) : stored);
        using CountedWeights weights = served;
        WeightFacts facts = WeightFacts.Of(weights, config);
        (long before, _) = device.Context.ReadMemory();
        using CudaBackend backend = new(new CudaBackendOptions { Storage = DType.F16 });
        using IKeyValueMemory pages = backend.AllocatePages(new KeyValueLayout(config.Decoder.LayerCount, config.Decoder.Attention, backend.CacheFormat), 1);
        using IRowMemory rows = backend.AllocateRows(1, config.Decoder.HiddenSize);
        using IBoundGraph prefill = backend.Bind(backend.Plan(DecoderNetwork.BuildPrefill(config.Decoder, facts, 64, 1)), weights, pages, rows);
        using IBoundGraph decode = backend.Bind(backend.Plan(DecoderNetwork.BuildDecode(config.Decoder, facts, 1)), weights, pages);
        (long after, _) = device.Context.ReadMemory();
        return before - after;
    }

    private static float[] Logits(IBackend backend, IWeightSource weights)
    {
        DecoderConfig decoder = demo.Decoder;
        using IKeyValueMemory memory = backend.AllocatePages(new KeyValueLayout(decoder.LayerCount, decoder.Attention, backend.CacheFormat), 1);
        using KeyValueSequence sequence = new(new KeyValuePool(memory));
        using IRowMemory rows = backend.AllocateRows(15, decoder.HiddenSize);
        using IBoundGraph graph = backend.Bind(backend.Plan(DecoderNetwork.BuildPrefill(decoder, WeightFacts.Of(weights, demo), Tokens, Tokens)), weights, memory, rows);
        Span<int> ids = graph.Integers(graph.Graph.Find(DecoderNetwork.Ids)), visualRow = graph.Integers(graph.Graph.Find(DecoderNetwork.VisualRow));
        Span<int> logitRows = graph.Integers(graph.Graph.Find(DecoderNetwork.LogitRows));
        for (int i = 0; i < Tokens; i++)
            (ids[i], visualRow[i], logitRows[i]) = (300 + (i * 23), i is >= 5 and < 20 ? i - 5 : -1, i);
        rows.Write(0, StoredFloats.Random(15 * decoder.HiddenSize, 3, DType.F32, 0.05));
        sequence.Reserve(Tokens);
        graph.Run(new RowCounts(Tokens, Tokens, 0), [new SequenceRows(sequence, 0, Tokens)], Cancellation);
        return graph.Output(graph.Graph.Find(DecoderNetwork.Logits)).ToArray();
    }

    private static PreparedWeights Quantised()
    {
        Checkpoint checkpoint = CheckpointFolder.Open(RepositoryPaths.Find("tools/demo/checkpoint"));
        return new PreparedWeights(new QuantizedWeights(checkpoint, WeightQuantization.Int8), checkpoint.Config);
    }

    private static ModelConfig ReadConfig()
    {
        using Checkpoint checkpoint = CheckpointFolder.Open(RepositoryPaths.Find("tools/demo/checkpoint"));
        return checkpoint.Config;
    }
}
