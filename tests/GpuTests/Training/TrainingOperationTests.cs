using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Results and gradients of every operation that is trained, against the processor's, which double precision has proven: at odd sizes, with and without tensor cores.</summary>
public sealed class TrainingOperationTests(GpuDevice device) : IDisposable
{
    private readonly Dictionary<DType, CudaBackend> backends = [];

    public static TheoryData<DType, int, int, int> Linears => new()
    {
        { DType.F32, 1, 1, 3 },
        { DType.F32, 13, 17, 7 },
        { DType.F32, 67, 5, 70 },
        { DType.BF16, 31, 33, 66 },
        { DType.BF16, 130, 36, 132 },
    };

    [Theory]
    [MemberData(nameof(Linears))]
    public void Linear_with_bias_activation_and_residual(DType storage, int rows, int inputs, int outputs)
    {
        foreach (Activation activation in (Activation[])[Activation.None, Activation.QuickGelu, Activation.Gelu])
        {
            var test = new TrainedCase(new RowCounts(rows, 0, 0));
            Tensor x = test.Input("x", RowExtent.Tokens, [inputs]), residual = test.Input("residual", RowExtent.Tokens, [outputs]);
            Check(storage, test.Differentiate(test.Builder.Linear(x, test.Weight("w", [outputs, inputs]), test.Weight("b", [outputs]), activation, residual)));
        }
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    public void Frozen_weight_is_passed_backwards(DType storage)
    {
        var test = new TrainedCase(new RowCounts(9, 0, 0));
        Tensor y = test.Builder.Linear(test.Input("x", RowExtent.Tokens, [12]), test.Weight("w", [20, 12], DType.BF16));
        Check(storage, test.Differentiate(y, adapter: new LowRankAdapter("a", "b", 3, 2, 0.4f)));
    }

    // The visual rows of a tile, of none of a tile, and of one step of the sum.
    [Theory]
    [InlineData(DType.F32, 150)]
    [InlineData(DType.BF16, 150)]
    [InlineData(DType.F32, 11)]
    public void Gated_linear_with_partial_lora_on_visual_rows_alone(DType storage, int rows)
    {
        const int Inputs = 10, Outputs = 19, Rank = 2;
        int[] visual = [.. Enumerable.Range(0, rows).Select(row => row % 5 < 2 && row is < 70 or > 128 ? row : -1)];
        var test = new TrainedCase(new RowCounts(rows, 0, 0));
        Tensor x = test.Input("x", RowExtent.Tokens, [Inputs]), visualRow = test.Indices("visual_row", RowExtent.Tokens, visual);
        LinearWeight gate = Stored("gate", Outputs, Inputs), up = Stored("up", Outputs, Inputs);
        PartialLora gateLora = new(Stored("ga", Rank, Inputs), Stored("gb", Outputs, Rank), 1), upLora = new(Stored("ua", Rank, Inputs), Stored("ub", Outputs, Rank), 2);
        Check(storage, test.Differentiate(test.Builder.GatedLinear(x, gate, up, gateLora, upLora, visualRow)));

        LinearWeight Stored(string name, int columns, int width) => test.Builder.Stored(test.Weight(name, [columns, width]));
    }

    [Theory]
    [InlineData(5, 4, false)]
    [InlineData(35, 36, false)]
    [InlineData(5, 4, true)]
    [InlineData(35, 36, true)]
    public void Norm_whose_input_is_read_twice(int rows, int columns, bool isCentred)
    {
        var test = new TrainedCase(new RowCounts(rows, 0, 0));
        Tensor x = test.Input("x", RowExtent.Tokens, [columns]), weight = test.Weight("n", [columns]);
        Tensor normed = isCentred ? test.Builder.LayerNorm(x, weight, test.Weight("nb", [columns]), 1e-5f) : test.Builder.RmsNorm(x, weight, 1e-5f);
        Check(DType.F32, test.Differentiate(test.Builder.Linear(normed, test.Weight("w", [columns, columns]), residual: x)));
    }

    [Fact]
    public void Embeddings_of_repeated_tokens_and_rows_of_pictures()
    {
        const int Columns = 132, Vocabulary = 6;
        int[] ids = [3, 0, 0, 3, 3, 5, 1, .. Enumerable.Repeat(2, 40), 3], visual = [-1, 1, 0, -1, -1, -1, 3, .. Enumerable.Repeat(-1, 41)];
        var test = new TrainedCase(new RowCounts(ids.Length, 0, 4));
        Tensor tokens = test.Indices("ids", RowExtent.Tokens, ids), visualRow = test.Indices("visual_row", RowExtent.Tokens, visual);
        Check(DType.F32, test.Differentiate(test.Builder.EmbedTokens(tokens, test.Weight("table", [Vocabulary, Columns]), test.Input("visual", RowExtent.Images(1), [Columns]), visualRow)));
    }

    [Fact]
    public void Selected_rows()
    {
        int[] rows = [4, 0, 2];
        var test = new TrainedCase(new RowCounts(6, rows.Length, 0));
        Check(DType.F32, test.Differentiate(test.Builder.SelectRows(test.Input("x", RowExtent.Tokens, [8]), test.Indices("rows", RowExtent.Logits, rows))));
    }

    [Theory]
    [InlineData(DType.F32, 2, 1, 16, 1)]
    [InlineData(DType.F32, 6, 2, 16, 37)]
    [InlineData(DType.F32, 3, 3, 32, 1, 1, 17, 49, 2)]
    [InlineData(DType.BF16, 4, 2, 64, 69)]
    [InlineData(DType.BF16, 4, 1, 16, 3, 33, 66, 1)]
    [InlineData(DType.BF16, 2, 2, 128, 40, 5)]
    public void Rotation_and_causal_attention_of_several_sequences(DType storage, int queryHeads, int keyValueHeads, int headSize, params int[] lengths)
    {
        int[] starts = [.. lengths.SelectMany((length, i) => Enumerable.Repeat(lengths[..i].Sum(), length))];
        var geometry = new AttentionGeometry(queryHeads, keyValueHeads, headSize);
        var test = new TrainedCase(new RowCounts(lengths.Sum(), 0, 0));
        Tensor query = test.Builder.RopeKvAppend(test.Input("packed", RowExtent.Tokens, [geometry.PackedColumns]), 0, geometry, 100);
        Check(storage, test.Differentiate(test.Builder.PagedAttention(query, 0, geometry), starts: starts));
    }

    [Theory]
    [InlineData(DType.F32, 1, 5, 1, 16)]
    [InlineData(DType.F32, 2, 51, 2, 16)]
    [InlineData(DType.BF16, 3, 37, 2, 64)]
    public void Attention_within_pictures(DType storage, int images, int tokens, int heads, int headSize)
    {
        var test = new TrainedCase(new RowCounts(0, 0, images));
        Tensor[] parts = [.. ((string[])["q", "k", "v"]).Select(name => test.Input(name, RowExtent.Images(tokens), [heads * headSize]))];
        Check(storage, test.Differentiate(test.Builder.VisionAttention(parts[0], parts[1], parts[2], tokens, heads)));
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    public void Patches_class_token_and_positions(DType storage)
    {
        const int Images = 2, Size = 12, Patch = 4, Width = 32, Tokens = 10;
        var test = new TrainedCase(new RowCounts(0, 0, Images));
        Tensor pixels = test.Input("pixels", RowExtent.Images(1), [3, Size, Size], isConstant: true);
        Tensor rows = test.Builder.PatchEmbedding(pixels, test.Weight("patch", [Width, 3, Patch, Patch]), test.Weight("class", [Width]), test.Weight("positions", [Tokens, Width]));
        Check(storage, test.Differentiate(test.Builder.SelectPatches(test.Builder.RmsNorm(rows, test.Weight("n", [Width]), 1e-5f), Tokens)));
    }

    [Theory]
    [InlineData(DType.F32, 1, 3, 2)]
    [InlineData(DType.F32, 140, 6, 37)]
    [InlineData(DType.BF16, 140, 8, 300)]
    public void Token_loss_in_pieces(DType storage, int rows, int hidden, int vocabulary)
    {
        int[] targets = [.. Enumerable.Range(0, rows).Select(row => row * 7 % vocabulary)];
        var test = new TrainedCase(new RowCounts(0, rows, 0));
        Tensor y = test.Builder.Linear(test.Input("x", RowExtent.Logits, [hidden]), test.Weight("head", [vocabulary, hidden]), name: "logits");
        Check(storage, test.Differentiate(y, targets));
    }

    public void Dispose()
    {
        foreach (CudaBackend backend in backends.Values)
            backend.Dispose();
    }

    // In F32 the sums' order differs. What tensor cores multiply is rounded to 8 bits, each factor by up to 1/512, and once more what goes through a second product.
    private void Check(DType storage, Func<ITrainingBackend, Dictionary<string, float[]>> run)
    {
        device.Require(storage.ToString());
        if (!backends.TryGetValue(storage, out CudaBackend? cuda))
            backends.Add(storage, cuda = new CudaBackend(new CudaBackendOptions { Device = new Cuda.CudaOptions { DriverLibrary = device.Context.Driver.Library }, Storage = storage }));
        using var processor = new CpuBackend(2);
        Dictionary<string, float[]> expected = run(processor), first = [];
        double tolerance = storage == DType.F32 ? 3e-6 : 1.0 / 128;
        EmulatedConditions.ForEach(device, condition =>
        {
            Dictionary<string, float[]> found = run(cuda);
            Assert.Equal(expected.Keys.Order(), found.Keys.Order());
            foreach ((string name, float[] values) in expected)
            {
                Assert.Equal(values.Length, found[name].Length);
                double distance = Distance(found[name], values);
                Assert.True(distance <= tolerance, $"{name}, {storage}, {condition}: {distance:g3} relative");
            }
        });
        foreach ((string name, float[] values) in run(cuda))
            first.Add(name, values);
        foreach ((string name, float[] values) in run(cuda))
            Assert.Equal(first[name], values);
    }

    private static double Distance(float[] found, float[] expected)
    {
        (double difference, double norm) = (0, 0);
        for (int i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow((double)found[i] - expected[i], 2);
            norm += Math.Pow(expected[i], 2);
        }

        return norm == 0 ? Math.Sqrt(difference) : Math.Sqrt(difference / norm);
    }
}
