using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The demo's decoder in formats that published checkpoints have, and with an int8 cache, on both backends: a prompt with a picture's rows, and tokens after it.</summary>
public sealed class FormatDecoderTests(GpuDevice device)
{
    private const int PromptTokens = 75, PictureRows = 15, DecodedTokens = 3;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A prompt reads a panel, whose elements are rounded to 16 bits as any weights are, and generated tokens the integers: both are the processor's numbers
    /// but for the roundings of activations. A wrong scale, zero point, row or column is off by 0.1 and more.</summary>
    [Theory]
    [InlineData(DType.F16, 4, 128, false, 3e-3)]
    [InlineData(DType.BF16, 4, 64, true, 2e-2)]
    [InlineData(DType.F32, 4, 32, true, 1e-4)]
    [InlineData(DType.F16, 8, 128, true, 3e-3)]
    public void Weights_in_groups_give_the_processors_logits(DType storage, int bits, int group, bool hasZeroPoints, double tolerance)
    {
        Require(storage);
        WeightFormat format = WeightFormat.Grouped(bits, group, hasZeroPoints);
        Compare(new CudaBackend(new CudaBackendOptions { Storage = storage }), CacheFormat.F32, new WeightQuantization { Linears = format }, tolerance, $"{format} in {storage}");
    }

    [Fact]
    public void A_group_index_gives_the_processors_logits() => Compare(
        new CudaBackend(new CudaBackendOptions { Storage = DType.F16 }), CacheFormat.F32, new WeightQuantization { Linears = WeightFormat.Grouped(4, 64, true, hasGroupIndex: true) }, 3e-3, "act-order in F16");

    /// <summary>As above: Partial LoRA's panels, the table's rows and the head's groups are the processor's numbers, wherever the table lies.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Partial_lora_embeddings_and_head_of_integers_give_the_processors_logits(bool isOnHost) => Compare(
        new CudaBackend(new CudaBackendOptions { Storage = DType.F16, EmbeddingsOnHost = isOnHost }), CacheFormat.F32,
        new WeightQuantization { Linears = WeightFormat.Grouped(4, 128), Head = WeightFormat.Grouped(4, 128), PartialLora = WeightFormat.Int8, Embeddings = WeightFormat.Int8 }, 3e-3,
        "Partial LoRA and embeddings of int8, head of int4");

    /// <summary>Keys and values that differ by the roundings of 16-bit activations, some 1e-3 of a deviation in f16 and 8e-3 in bf16, fall to other integers where they are that near
    /// to the middle of two, 1/36 of a deviation apart: a share p of 0.04 (0.3), each by a step. The step's own rounding is 1/12 of its square, so that is sqrt(12 p), 0.7 (1.9) times,
    /// what an int8 cache is off itself: 3e-2 at most. A wrong scale, row or head is off by 0.1 and more.</summary>
    [Theory]
    [InlineData(DType.F16, 2e-2)]
    [InlineData(DType.BF16, 5e-2)]
    public void An_int8_cache_gives_the_processors_logits(DType storage, double tolerance)
    {
        Require(storage);
        Compare(new CudaBackend(new CudaBackendOptions { Storage = storage, KeyValueCache = CacheFormat.Int8 }), CacheFormat.Int8, null, tolerance, $"int8 cache beside {storage}");
    }

    /// <summary>It is another cache than that of 16 bits, and near to it.</summary>
    [Fact]
    public void An_int8_cache_moves_the_logits_by_its_rounding()
    {
        using IBackend exact = new CudaBackend(new CudaBackendOptions { Storage = DType.F16 });
        using IBackend rounded = new CudaBackend(new CudaBackendOptions { Storage = DType.F16, KeyValueCache = CacheFormat.Int8 });
        float[] expected = Logits(exact, null), found = Logits(rounded, null);
        double error = Math.Sqrt(expected.Zip(found, (x, y) => Math.Pow(x - y, 2)).Sum() / expected.Sum(x => (double)x * x));
        Assert.InRange(error, 3e-5, 3e-2);
    }

    private void Require(DType storage)
    {
        if (!device.Supports(storage)) Assert.Skip($"no {storage} before compute capability 8.0");
    }

    private static void Compare(IBackend backend, CacheFormat cache, WeightQuantization? format, double tolerance, string what)
    {
        using IBackend cuda = backend, cpu = new CpuBackend(2, cache);
        float[] expected = Logits(cpu, format), found = Logits(cuda, format);
        Accuracy.Close([.. expected.Select(value => (double)value)], found, tolerance, what);
    }

    /// <summary>Of the prompt's last row, and of each token after it.</summary>
    private static float[] Logits(IBackend backend, WeightQuantization? format)
    {
        Checkpoint checkpoint = CheckpointFolder.Open(RepositoryPaths.Find("tools/demo/checkpoint"));
        DecoderConfig decoder = checkpoint.Config.Decoder;
        using PreparedWeights weights = new(format is { } integers ? new QuantizedWeights(checkpoint, integers) : checkpoint, checkpoint.Config);
        WeightFacts facts = WeightFacts.Of(weights, checkpoint.Config);
        using IKeyValueMemory memory = backend.AllocatePages(new KeyValueLayout(decoder.LayerCount, decoder.Attention, backend.CacheFormat), 2);
        using KeyValueSequence sequence = new(new KeyValuePool(memory));
        using IRowMemory rows = backend.AllocateRows(PictureRows, decoder.HiddenSize);
        using IBoundGraph prefill = backend.Bind(backend.Plan(DecoderNetwork.BuildPrefill(decoder, facts, PromptTokens, 1)), weights, memory, rows);
        using IBoundGraph decode = backend.Bind(backend.Plan(DecoderNetwork.BuildDecode(decoder, facts, 1)), weights, memory);
        Span<int> ids = prefill.Integers(prefill.Graph.Find(DecoderNetwork.Ids)), visualRow = prefill.Integers(prefill.Graph.Find(DecoderNetwork.VisualRow));
        for (int i = 0; i < PromptTokens; i++)
            (ids[i], visualRow[i]) = (300 + (i * 23 % 900), i is >= 5 and < 5 + PictureRows ? i - 5 : -1);
        prefill.Integers(prefill.Graph.Find(DecoderNetwork.LogitRows))[0] = PromptTokens - 1;
        rows.Write(0, StoredFloats.Random(PictureRows * decoder.HiddenSize, 3, DType.F32, 0.05));
        sequence.Reserve(PromptTokens + DecodedTokens);
        prefill.Run(new RowCounts(PromptTokens, 1, 0), [new SequenceRows(sequence, 0, PromptTokens)], Cancellation);
        sequence.Advance(PromptTokens);
        List<float> logits = [.. prefill.Output(prefill.Graph.Find(DecoderNetwork.Logits))];
        for (int token = 0; token < DecodedTokens; token++)
        {
            decode.Integers(decode.Graph.Find(DecoderNetwork.Ids))[0] = 400 + (token * 31);
            decode.Run(new RowCounts(1, 0, 0), [new SequenceRows(sequence, 0, 1)], Cancellation);
            sequence.Advance(1);
            logits.AddRange(decode.Output(decode.Graph.Find(DecoderNetwork.Logits)));
        }

        return [.. logits];
    }
}
