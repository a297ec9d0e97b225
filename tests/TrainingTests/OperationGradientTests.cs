using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>Every operation's gradients against central differences in double, at odd sizes.</summary>
public sealed class OperationGradientTests
{
    [Theory]
    [InlineData(1, 1, 3, Activation.None)]
    [InlineData(13, 17, 7, Activation.QuickGelu)]
    [InlineData(5, 9, 49, Activation.Gelu)]
    public void Linear_with_bias_activation_and_residual(int rows, int inputs, int outputs, Activation activation)
    {
        var test = new DifferentiableCase(new RowCounts(rows, 0, 0));
        Tensor x = test.Input("x", RowExtent.Tokens, inputs), residual = test.Input("residual", RowExtent.Tokens, outputs);
        Tensor y = test.Builder.Linear(x, test.Weight("w", outputs, inputs), test.Weight("b", outputs), activation, residual);
        test.Check(y, v =>
        {
            double[] z = Mathematics.Linear(v["x"], v["w"], rows, inputs, outputs);
            return [.. z.Select((value, i) => Mathematics.Activate(value + v["b"][i % outputs], activation) + v["residual"][i])];
        });
    }

    [Theory]
    [InlineData(300, 11, 5)]
    [InlineData(7, 260, 3)]
    public void Linear_beyond_one_block_of_rows_or_steps(int rows, int inputs, int outputs)
    {
        var test = new DifferentiableCase(new RowCounts(rows, 0, 0));
        Tensor y = test.Builder.Linear(test.Input("x", RowExtent.Tokens, inputs), test.Weight("w", outputs, inputs));
        test.Check(y, v => Mathematics.Linear(v["x"], v["w"], rows, inputs, outputs));
    }

    [Fact]
    public void Partial_lora_acts_on_visual_rows_alone()
    {
        const int Rows = 11, Inputs = 9, Outputs = 13, Rank = 3;
        int[] visual = [-1, 0, 1, -1, -1, 2, 3, 4, -1, 5, -1];
        var test = new DifferentiableCase(new RowCounts(Rows, 0, 0));
        Tensor x = test.Input("x", RowExtent.Tokens, Inputs), visualRow = test.Indices("visual_row", RowExtent.Tokens, visual);
        LinearWeight a = test.Builder.Stored(test.Weight("a", Rank, Inputs)), b = test.Builder.Stored(test.Weight("b", Outputs, Rank));
        Tensor y = test.Builder.Linear(x, test.Weight("w", Outputs, Inputs), lora: new PartialLora(a, b, 0.5f), visualRow: visualRow);
        test.Check(y, v => Mathematics.Lora(v, Mathematics.Linear(v["x"], v["w"], Rows, Inputs, Outputs), "a", "b", (Rows, Inputs, Outputs, Rank), 0.5, visual));
    }

    [Fact]
    public void Adapter_acts_on_all_rows()
    {
        const int Rows = 6, Inputs = 9, Outputs = 5, Rank = 2;
        var test = new DifferentiableCase(new RowCounts(Rows, 0, 0));
        Tensor y = test.Builder.Linear(test.Input("x", RowExtent.Tokens, Inputs), test.Weight("w", Outputs, Inputs));
        test.Check(
            y,
            v => Mathematics.Lora(v, Mathematics.Linear(v["x"], v["w"], Rows, Inputs, Outputs), "a", "b", (Rows, Inputs, Outputs, Rank), 2, new int[Rows]),
            adapter: new LowRankAdapter("a", "b", Rank, 2));
    }

    [Fact]
    public void Gated_linear_with_partial_lora()
    {
        const int Rows = 7, Inputs = 10, Outputs = 19, Rank = 2;
        int[] visual = [0, -1, 1, 2, -1, -1, 3];
        var test = new DifferentiableCase(new RowCounts(Rows, 0, 0));
        Tensor x = test.Input("x", RowExtent.Tokens, Inputs), visualRow = test.Indices("visual_row", RowExtent.Tokens, visual);
        LinearWeight gate = Stored("gate", Outputs, Inputs), up = Stored("up", Outputs, Inputs);
        PartialLora gateLora = new(Stored("ga", Rank, Inputs), Stored("gb", Outputs, Rank), 1), upLora = new(Stored("ua", Rank, Inputs), Stored("ub", Outputs, Rank), 2);
        test.Check(test.Builder.GatedLinear(x, gate, up, gateLora, upLora, visualRow), v =>
        {
            (int, int, int, int) sizes = (Rows, Inputs, Outputs, Rank);
            double[] g = Mathematics.Lora(v, Mathematics.Linear(v["x"], v["gate"], Rows, Inputs, Outputs), "ga", "gb", sizes, 1, visual);
            double[] u = Mathematics.Lora(v, Mathematics.Linear(v["x"], v["up"], Rows, Inputs, Outputs), "ua", "ub", sizes, 2, visual);
            return [.. g.Zip(u, (value, factor) => value / (1 + Math.Exp(-value)) * factor)];
        });

        LinearWeight Stored(string name, int rows, int columns) => test.Builder.Stored(test.Weight(name, rows, columns));
    }

    [Theory]
    [InlineData(5, 3, false)]
    [InlineData(3, 37, false)]
    [InlineData(5, 3, true)]
    [InlineData(3, 37, true)]
    public void Norm(int rows, int columns, bool isCentred)
    {
        var test = new DifferentiableCase(new RowCounts(rows, 0, 0));
        Tensor x = test.Input("x", RowExtent.Tokens, columns), w = test.Weight("w", columns);
        Tensor y = isCentred ? test.Builder.LayerNorm(x, w, test.Weight("b", columns), 1e-5f) : test.Builder.RmsNorm(x, w, 1e-5f);
        test.Check(y, v => Mathematics.Norm(v["x"], v["w"], isCentred ? v["b"] : null, rows, columns));
    }

    [Fact]
    public void Value_read_twice_has_the_sum_of_both_gradients()
    {
        const int Rows = 4, Columns = 5;
        var test = new DifferentiableCase(new RowCounts(Rows, 0, 0));
        Tensor x = test.Input("x", RowExtent.Tokens, Columns);
        Tensor normed = test.Builder.RmsNorm(x, test.Weight("n", Columns), 1e-5f);
        test.Check(test.Builder.Linear(normed, test.Weight("w", Columns, Columns), residual: x), v =>
        {
            double[] y = Mathematics.Linear(Mathematics.Norm(v["x"], v["n"], null, Rows, Columns), v["w"], Rows, Columns, Columns);
            return [.. y.Zip(v["x"], (value, added) => value + added)];
        });
    }

    [Fact]
    public void Embeddings_of_repeated_tokens_and_rows_of_pictures()
    {
        const int Columns = 5, Vocabulary = 6;
        int[] ids = [3, 0, 0, 3, 3, 5, 1], visual = [-1, 1, 0, -1, -1, -1, 3];
        var test = new DifferentiableCase(new RowCounts(ids.Length, 0, 4));
        Tensor tokens = test.Indices("ids", RowExtent.Tokens, ids), visualRow = test.Indices("visual_row", RowExtent.Tokens, visual);
        Tensor y = test.Builder.EmbedTokens(tokens, test.Weight("table", Vocabulary, Columns), test.Input("visual", RowExtent.Images(1), Columns), visualRow);
        test.Check(y, v => [.. ids.SelectMany((id, i) => visual[i] >= 0 ? v["visual"].Skip(visual[i] * Columns).Take(Columns) : v["table"].Skip(id * Columns).Take(Columns))]);
    }

    [Fact]
    public void Selected_rows()
    {
        const int Columns = 5;
        int[] rows = [4, 0, 2];
        var test = new DifferentiableCase(new RowCounts(6, rows.Length, 0));
        Tensor y = test.Builder.SelectRows(test.Input("x", RowExtent.Tokens, Columns), test.Indices("rows", RowExtent.Logits, rows));
        test.Check(y, v => [.. rows.SelectMany(row => v["x"].Skip(row * Columns).Take(Columns))]);
    }

    [Theory]
    [InlineData(2, 1, 8, 1)]
    [InlineData(6, 2, 8, 21)]
    [InlineData(3, 3, 8, 53)]
    [InlineData(4, 2, 8, 1, 1, 17, 49, 2)]
    public void Rotation_and_causal_attention_with_grouped_queries(int queryHeads, int keyValueHeads, int headSize, params int[] lengths)
    {
        int tokens = lengths.Sum();
        int[] starts = [.. lengths.SelectMany((length, i) => Enumerable.Repeat(lengths[..i].Sum(), length))];
        var geometry = new AttentionGeometry(queryHeads, keyValueHeads, headSize);
        var test = new DifferentiableCase(new RowCounts(tokens, 0, 0));
        Tensor query = test.Builder.RopeKvAppend(test.Input("packed", RowExtent.Tokens, geometry.PackedColumns), 0, geometry, 100);
        test.Check(test.Builder.PagedAttention(query, 0, geometry), v =>
            [.. lengths.SelectMany((length, i) => Mathematics.CausalAttention(
                v["packed"][(lengths[..i].Sum() * geometry.PackedColumns)..(lengths[..(i + 1)].Sum() * geometry.PackedColumns)], length, geometry, 100))], starts: starts);
    }

    [Theory]
    [InlineData(1, 5, 1, 8)]
    [InlineData(2, 51, 2, 8)]
    public void Attention_within_pictures(int images, int tokens, int heads, int headSize)
    {
        var test = new DifferentiableCase(new RowCounts(0, 0, images));
        Tensor[] packed = [.. ((string[])["q", "k", "v"]).Select(name => test.Input(name, RowExtent.Images(tokens), heads * headSize))];
        Tensor y = test.Builder.VisionAttention(packed[0], packed[1], packed[2], tokens, heads);
        test.Check(y, v => Mathematics.VisionAttention(v["q"], v["k"], v["v"], images, tokens, heads, headSize));
    }

    [Fact]
    public void Patches_class_token_and_positions()
    {
        const int Images = 2, Size = 9, Patch = 3, Width = 5, Tokens = 10;
        var test = new DifferentiableCase(new RowCounts(0, 0, Images));
        Tensor pixels = test.Builder.Input("pixels", DType.F32, RowExtent.Images(1), 3, Size, Size);
        Tensor rows = test.Builder.PatchEmbedding(pixels, test.Weight("patch", Width, 3, Patch, Patch), test.Weight("class", Width), test.Weight("positions", Tokens, Width));
        Tensor selected = test.Builder.SelectPatches(test.Builder.RmsNorm(rows, test.Weight("n", Width), 1e-5f), Tokens);
        test.CheckWithPixels(selected, "pixels", Images * 3 * Size * Size, v =>
        {
            double[] embedded = Mathematics.Patches(v, Images, Size, Patch, Width);
            double[] normed = Mathematics.Norm(embedded, v["n"], null, Images * Tokens, Width);
            return [.. Enumerable.Range(0, Images * Tokens).Where(row => row % Tokens > 0).SelectMany(row => normed.Skip(row * Width).Take(Width))];
        });
    }

    [Theory]
    [InlineData(1, 3, 2)]
    [InlineData(67, 6, 37)]
    public void Token_loss_in_pieces(int rows, int hidden, int vocabulary)
    {
        int[] targets = [.. Enumerable.Range(0, rows).Select(row => row * 7 % vocabulary)];
        var test = new DifferentiableCase(new RowCounts(0, rows, 0));
        Tensor y = test.Builder.Linear(test.Input("x", RowExtent.Logits, hidden), test.Weight("head", vocabulary, hidden), name: "logits");
        test.Check(y, v => Mathematics.TokenLoss(Mathematics.Linear(v["x"], v["head"], rows, hidden, vocabulary), vocabulary, targets), targets);
    }

    [Fact]
    public unsafe void Dropout_drops_its_share_alike_each_time_and_keeps_the_mean()
    {
        const int Count = 100_001;
        float[] values = new float[Count], first = new float[Count], second = new float[Count], other = new float[Count];
        Array.Fill(values, 2);
        using WorkerPool one = new(1), three = new(3);
        fixed (float* x = values, y = first, z = second, w = other)
        {
            DropoutKernel.Run(x, 7, 1, 0.05f, y, Count, one);
            DropoutKernel.Run(x, 7, 1, 0.05f, z, Count, three);
            DropoutKernel.Run(x, 7, 2, 0.05f, w, Count, three);
        }

        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
        Assert.Equal(0.05, first.Count(value => value == 0) / (double)Count, 0.004);
        Assert.Equal(2 / 0.95f, first.Max(), 1e-6f);
        Assert.Equal(2, first.Average(), 0.02);
    }
}
