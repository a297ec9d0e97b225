using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class GraphBuilderTests
{
    private readonly GraphBuilder builder = new("small", new RowCounts(7, 2, 3));

    [Fact]
    public void Decoder_tensors_have_the_row_extents_of_their_inputs()
    {
        ComputeGraph graph = SampleGraphs.Decoder(DecoderSizes.Tiny, 31, 2, 9);
        TensorSpec packed = graph[graph.Find("layers.1.wqkv")];
        Assert.Equal((new Shape(31, 64), RowExtent.Tokens, TensorRole.Temporary), (packed.Shape, packed.Rows, packed.Role));
        TensorSpec logits = graph[graph.Find("logits")];
        Assert.Equal((new Shape(2, 96), RowExtent.Logits, TensorRole.Output), (logits.Shape, logits.Rows, logits.Role));
        Assert.Equal(1 + (2 * 8) + 3, graph.Operations.Length);
    }

    [Fact]
    public void Vision_rows_scale_with_patches_per_picture()
    {
        ComputeGraph graph = SampleGraphs.Vision(VisionSizes.Tiny, 3);
        TensorSpec attention = graph[graph.Find("layers.0.attention")];
        Assert.Equal((new Shape(15, 24), RowExtent.Images(5)), (attention.Shape, attention.Rows));
        TensorSpec visual = graph[graph.Find("visual")];
        Assert.Equal((new Shape(12, 32), RowExtent.Images(4)), (visual.Shape, visual.Rows));
    }

    [Fact]
    public void Published_sizes_build()
    {
        ComputeGraph graph = SampleGraphs.Decoder(DecoderSizes.Published7B, 4096, 1, 1225, DType.BF16);
        Assert.Equal(4096L * 14336 * 4, graph[graph.Find("layers.31.gated")].CapacityBytes);
        Assert.Equal(3 + (32 * 17), graph.Tensors.Count(tensor => tensor.Role == TensorRole.Weight));
    }

    [Fact]
    public void Repeated_weight_name_returns_the_same_tensor()
    {
        Tensor first = builder.Weight("w", DType.BF16, new Shape(5, 3));
        Assert.Equal(first, builder.Weight("w", DType.BF16, new Shape(5, 3)));
        Refused(() => builder.Weight("w", DType.F32, new Shape(5, 3)), "weight 'w'", "BF16 [5, 3]", "F32 [5, 3]");
        Refused(() => builder.Weight("w", DType.BF16, new Shape(3, 5)), "BF16 [5, 3]", "BF16 [3, 5]");
        Refused(() => builder.Input("w", DType.F32, RowExtent.Tokens), "'w'", "exists already");
    }

    [Fact]
    public void Linear_rejects_mismatched_operands()
    {
        Tensor x = Rows("x", 3);
        Tensor w = builder.Weight("w", DType.F16, new Shape(5, 3));
        Refused(() => builder.Linear(x, builder.Weight("odd", DType.F16, new Shape(5, 4))), "graph 'small'", "linear 'linear.0'", "weight 'odd'", "[5, 3]", "[5, 4]");
        Refused(() => builder.Linear(x, w, builder.Weight("b", DType.F32, new Shape(4))), "bias 'b'", "[5]", "[4]");
        Refused(() => builder.Linear(x, w, residual: Rows("r", 4)), "residual 'r'", "[7, 5]", "[7, 4]");
        Refused(() => builder.Linear(x, x), "weight 'x'", "a weight", "Input");
        Refused(() => builder.Linear(w, w), "input 'w'", "a weight");
        Refused(() => builder.Linear(x, builder.Weight("ints", DType.I8, new Shape(5, 3))), "weight 'ints'", "floating", "I8");
        Refused(() => builder.Linear(new Tensor(99), w), "input", "handle 99");
        Refused(() => builder.Linear(new Tensor(-1), w), "handle -1");
        Refused(() => builder.Linear(x, w, activation: (Activation)77), "activation", "77");
    }

    [Fact]
    public void Different_row_extents_with_equal_capacity_are_rejected()
    {
        var equal = new GraphBuilder("equal", new RowCounts(4, 4, 4));
        Tensor x = equal.Input("x", DType.F32, RowExtent.Tokens, 3);
        Tensor residual = equal.Input("residual", DType.F32, RowExtent.Logits, 3);
        Refused(() => equal.Linear(x, equal.Weight("w", DType.F32, new Shape(3, 3)), residual: residual), "residual 'residual'", "Tokens x 1", "Logits x 1");
    }

    [Fact]
    public void Partial_lora_requires_matching_factors_and_visual_rows()
    {
        Tensor x = Rows("x", 3);
        Tensor w = builder.Weight("w", DType.F16, new Shape(5, 3));
        Tensor a = builder.Weight("a", DType.F16, new Shape(2, 3));
        Tensor b = builder.Weight("b", DType.F16, new Shape(5, 2));
        Tensor visualRow = builder.Input("visual_row", DType.I32, RowExtent.Tokens);
        Tensor perLogit = builder.Input("per_logit", DType.I32, RowExtent.Logits);
        var lora = new PartialLora(builder.Stored(a), builder.Stored(b), 1f);
        Refused(() => builder.Linear(x, w, lora: lora), "visualRow", "null");
        Refused(() => builder.Linear(x, w, lora: lora, visualRow: perLogit), "visualRow 'per_logit'", "Tokens x 1", "Logits x 1");
        Refused(() => builder.Linear(x, w, lora: lora with { A = builder.Stored(b) }, visualRow: visualRow), "lora.A 'b'", "[5, 3]", "[5, 2]");
        Refused(() => builder.Linear(x, w, lora: lora with { B = builder.Stored(a) }, visualRow: visualRow), "lora.B 'a'", "[5, 2]", "[2, 3]");
        Refused(() => builder.Linear(x, w, lora: lora with { Scale = float.NaN }, visualRow: visualRow), "lora.Scale", "NaN");
        Refused(() => builder.GatedLinear(x, w, w, upLora: lora), "gated_linear", "visualRow");

        builder.MarkOutput(builder.Linear(x, w, visualRow: visualRow, name: "plain"));
        builder.MarkOutput(builder.Linear(x, w, lora: lora, visualRow: visualRow, name: "lora"));
        ComputeGraph graph = builder.Build();
        Assert.Null(((LinearOp)graph.Operations[0]).VisualRow);
        Assert.Equal(visualRow, ((LinearOp)graph.Operations[1]).VisualRow);
    }

    [Fact]
    public void Other_operations_reject_mismatched_operands()
    {
        Tensor x = Rows("x", 6);
        Tensor six = builder.Weight("six", DType.F32, new Shape(6));
        Tensor five = builder.Weight("five", DType.F32, new Shape(5));
        Tensor table = builder.Weight("table", DType.F32, new Shape(11, 6));
        Tensor ids = builder.Input("ids", DType.I32, RowExtent.Tokens);
        Refused(() => builder.RmsNorm(x, five, 1e-5f), "rms_norm", "weight 'five'", "[6]", "[5]");
        Refused(() => builder.RmsNorm(x, six, float.NaN), "epsilon", "NaN");
        Refused(() => builder.LayerNorm(x, six, five, 1e-5f), "layer_norm", "bias 'five'");
        Refused(() => builder.EmbedTokens(x, table), "ids 'x'", "rank 1");
        Refused(() => builder.EmbedTokens(ids, table, x), "visualRow", "null");
        Refused(() => builder.EmbedTokens(ids, table, Rows("narrow", 5), ids), "visual 'narrow'", "[7, 6]", "[7, 5]");
        Refused(() => builder.SelectRows(x, x), "rows 'x'", "rank 1");
        Refused(() => builder.SelectRows(x, builder.Input("long", DType.I64, RowExtent.Logits)), "rows 'long'", "I32", "I64");
        Refused(() => builder.VisionAttention(x, x, Rows("v", 4), 1, 1), "value 'v'", "[7, 6]");
        Refused(() => builder.VisionAttention(x, x, x, 2, 1), "tokensPerImage", "found 2");
        Refused(() => builder.VisionAttention(x, x, x, 1, 4), "heads", "found 4");
        Refused(() => builder.SelectPatches(x, 1), "tokensPerImage", "found 1");

        var geometry = new AttentionGeometry(1, 1, 2);
        Refused(() => builder.PagedAttention(Rows("q", 2), 0, geometry), "layer", "rope_kv_append has appended");
        Refused(() => builder.RopeKvAppend(x, -1, geometry, 1e4f), "layer", "-1");
        Refused(() => builder.RopeKvAppend(x, 0, new AttentionGeometry(3, 2, 2), 1e4f), "multiple of the key/value heads");
        Refused(() => builder.RopeKvAppend(x, 0, new AttentionGeometry(1, 1, 3), 1e4f), "even head size");
        Refused(() => builder.RopeKvAppend(x, 0, new AttentionGeometry(2, 1, 2), 1e4f), "packed 'x'", "[7, 8]", "[7, 6]");
        Refused(() => builder.RopeKvAppend(x, 0, geometry, 0f), "ropeTheta");
        Tensor queries = builder.RopeKvAppend(x, 0, geometry, 1e4f);
        Refused(() => builder.RopeKvAppend(x, 0, geometry, 1e4f), "has not appended to");
        Refused(() => builder.PagedAttention(Rows("q4", 4), 0, new AttentionGeometry(2, 1, 2)), "geometry", "as appended");
        Assert.Equal(new Shape(7, 2), builder[builder.PagedAttention(queries, 0, geometry)].Shape);
    }

    [Fact]
    public void Patch_embedding_requires_square_pictures_divisible_into_patches()
    {
        Tensor w = builder.Weight("w", DType.F32, new Shape(8, 3, 5, 5));
        Tensor token = builder.Weight("class", DType.F32, new Shape(8));
        Tensor positions = builder.Weight("positions", DType.F32, new Shape(10, 8));
        Tensor Pixels(string name, int height, int width) => builder.Input(name, DType.F32, RowExtent.Images(1), 3, height, width);
        Refused(() => builder.PatchEmbedding(Pixels("a", 10, 15), w, token, positions), "pixels 'a'", "[3, 3, 15, 15]", "[3, 3, 10, 15]");
        Refused(() => builder.PatchEmbedding(Pixels("b", 16, 16), w, token, positions), "multiple of the patch size 5", "16");
        Refused(() => builder.PatchEmbedding(Pixels("c", 10, 10), w, token, positions), "positions 'positions'", "[5, 8]", "[10, 8]");
        Assert.Equal(RowExtent.Images(10), builder[builder.PatchEmbedding(Pixels("d", 15, 15), w, token, positions)].Rows);
    }

    [Fact]
    public void Unused_result_or_weight_is_rejected()
    {
        Tensor x = Rows("x", 3);
        Tensor w = builder.Weight("w", DType.F32, new Shape(3));
        Refused(() => builder.Build(), "at least one operation");
        Tensor normed = builder.RmsNorm(x, w, 0f, "normed");
        Refused(() => builder.Build(), "rms_norm 'normed'", "neither read nor an output");
        Refused(() => builder.MarkOutput(x), "'x'", "Input");
        builder.MarkOutput(normed);
        builder.MarkOutput(normed);
        builder.Weight("spare", DType.F32, new Shape(3));
        Refused(() => builder.Build(), "weight 'spare'", "never read");
        builder.MarkOutput(builder.RmsNorm(x, builder.Weight("spare", DType.F32, new Shape(3)), 0f));
        Assert.Equal("small", builder.Build().Name);
        Assert.Throws<InvalidOperationException>(() => builder.Build());
        Assert.Throws<InvalidOperationException>(() => builder.RmsNorm(x, w, 0f));
    }

    [Fact]
    public void Final_append_of_a_prefill_without_logits_may_be_unread()
    {
        builder.RopeKvAppend(Rows("packed", 6), 0, new AttentionGeometry(1, 1, 2), 1e4f);
        Assert.Single(builder.Build().Operations);
    }

    [Fact]
    public void Overflowing_or_empty_sizes_are_rejected()
    {
        Refused(() => builder.Input("many", DType.F32, RowExtent.Images(int.MaxValue)), "'many'", "beyond what can be counted");
        Refused(() => builder.Input("wide", DType.F32, RowExtent.Tokens, int.MaxValue, int.MaxValue), "'wide'", "beyond what can be counted");
        Refused(() => builder.Input("none", DType.F32, RowExtent.Tokens, 3, 0), "'none'", "1 or more");
        Refused(() => new GraphBuilder("no pictures", new RowCounts(1, 1, 0)).Input("pixels", DType.F32, RowExtent.Images(1), 3, 2, 2), "'pixels'", "1 or more");
        Refused(() => _ = new GraphBuilder("negative", new RowCounts(-1, 0, 0)), "capacity");
        Refused(() => builder.Weight("scalar", DType.F32, new Shape()), "'scalar'", "rank 1 or more");
    }

    private static void Refused(Action build, params string[] parts)
    {
        GraphException error = Assert.Throws<GraphException>(build);
        foreach (string part in parts)
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    private Tensor Rows(string name, int columns) => builder.Input(name, DType.F32, RowExtent.Tokens, columns);
}
