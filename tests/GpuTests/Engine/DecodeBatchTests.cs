using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Generated tokens of up to 64 sequences in one step, one sampler for all.</summary>
public sealed class DecodeBatchTests(GpuDevice device)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Cuda.CudaOptions Options => new() { DriverLibrary = device.Context.Driver.Library };

    /// <summary>To the bit, in ids and logits: what an answer says must not depend on who else is answered.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(31)]
    [InlineData(64)]
    public void Sequences_give_the_same_together_and_alone(int sequences)
    {
        using DecodeBatch batch = OnDevice(DType.F16);
        (int[] Ids, float[][] Logits)[] together = batch.Generate([.. Enumerable.Range(0, sequences)], steps: 2, Cancellation);
        foreach (int sequence in (int[])[.. new HashSet<int> { 0, sequences / 2, sequences - 1 }])
        {
            (int[] ids, float[][] logits) = batch.Generate([sequence], steps: 2, Cancellation)[0];
            Assert.Equal(together[sequence].Ids, ids);
            for (int step = 0; step < logits.Length; step++)
                Assert.Equal(together[sequence].Logits[step], logits[step]);
        }
    }

    [Fact]
    public void Ids_are_those_of_the_processor()
    {
        using DecodeBatch cuda = OnDevice(DType.F32), cpu = new(new CpuBackend(2));
        int[] sequences = [.. Enumerable.Range(0, 11)];
        Assert.Equal(cpu.Generate(sequences, steps: 3, Cancellation).Select(each => each.Ids), cuda.Generate(sequences, steps: 3, Cancellation).Select(each => each.Ids));
    }

    [Fact]
    public void A_row_of_another_sequence_than_its_number_says_is_refused()
    {
        using DecodeBatch batch = OnDevice(DType.F16);
        KeyValueSequence[] sequences = [batch.Fork(0), batch.Fork(1)];
        Assert.Throws<ArgumentException>("sequences", () => batch.Decode.Run(new RowCounts(2, 0, 0), [new SequenceRows(sequences[0], 1, 1), new SequenceRows(sequences[1], 0, 1)], Cancellation));
        Assert.Throws<ArgumentException>("sequences", () => batch.Decode.Run(new RowCounts(2, 0, 0), [new SequenceRows(sequences[0], 0, 2)], Cancellation));
        foreach (KeyValueSequence sequence in sequences)
            sequence.Dispose();
    }

    [Fact]
    public void Sequences_beyond_the_limits_are_refused()
    {
        using DecodeBatch batch = OnDevice(DType.F16, new StepLimits(2, 2, 72));
        KeyValueSequence[] sequences = [batch.Fork(0), batch.Fork(1), batch.Fork(2)];
        SequenceRows[] rows = [.. sequences.Select((sequence, row) => new SequenceRows(sequence, row, 1))];
        Assert.Contains("at most 2 sequences", Assert.Throws<ArgumentException>("sequences", () => batch.Decode.Run(new RowCounts(3, 0, 0), rows, Cancellation)).Message, StringComparison.Ordinal);
        for (int token = sequences[0].Length; token < 72; token++)
        {
            batch.Decode.Run(new RowCounts(1, 0, 0), rows.AsSpan(0, 1), Cancellation);
            sequences[0].Advance(1);
            sequences[0].Reserve(1);
        }

        Assert.Contains("at most 72 tokens, found 73", Assert.Throws<ArgumentException>("sequences", () => batch.Decode.Run(new RowCounts(1, 0, 0), rows.AsSpan(0, 1), Cancellation)).Message, StringComparison.Ordinal);
        foreach (KeyValueSequence sequence in sequences)
            sequence.Dispose();
    }

    [Fact]
    public void More_than_64_sequences_are_refused_when_the_graph_is_planned()
    {
        using CudaBackend backend = new(new CudaBackendOptions { Device = Options, Storage = DType.F16 });
        ModelConfig config = ModelPresets.Find(ModelPresets.Names[0]).WithLayers(1);
        ComputeGraph graph = DecoderNetwork.BuildDecode(config.Decoder, WeightFacts.Uniform(config, DType.F16), 65);
        Assert.Contains("at most 64 sequences", Assert.Throws<GraphException>(() => backend.Plan(graph)).Message, StringComparison.Ordinal);
    }

    /// <summary>A pool of many pages costs sequences of a short context nothing.</summary>
    [Fact]
    public void Page_tables_rope_tables_and_scratch_follow_the_limits_and_not_the_pool()
    {
        long Bytes(int pages)
        {
            using DecodeBatch batch = OnDevice(DType.F16, StepLimits.For(64, 128), pages);
            return batch.BytesBesidePages(device);
        }

        Assert.Equal(Bytes(80), Bytes(800));
    }

    private DecodeBatch OnDevice(DType storage, StepLimits? limits = null, int pages = 160) =>
        new(new CudaBackend(new CudaBackendOptions { Device = Options, Storage = storage }), limits, pages);
}
