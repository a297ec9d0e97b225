using XComposer2.Native.Graph;

namespace XComposer2.Native.UnitTests;

/// <summary>Graphs with the structure of the real network, built without the Model project to test Graph in isolation.</summary>
public static class SampleGraphs
{
    private const float Epsilon = 1e-5f;

    public static ComputeGraph Vision(VisionSizes sizes, int images, DType weights = DType.F32)
    {
        var builder = new GraphBuilder("vision", new RowCounts(0, 0, images));
        int grid = sizes.Image / sizes.Patch;
        int tokens = (grid * grid) + 1;
        int width = sizes.Width;
        Tensor Weight(string name, params ReadOnlySpan<int> shape) => builder.Weight(name, weights, new Shape(shape));

        Tensor pixels = builder.Input("pixels", DType.F32, RowExtent.Images(1), 3, sizes.Image, sizes.Image);
        Tensor stream = builder.PatchEmbedding(
            pixels,
            Weight("patch", width, 3, sizes.Patch, sizes.Patch),
            Weight("class", width),
            Weight("positions", tokens, width));
        stream = builder.LayerNorm(stream, Weight("pre.weight", width), Weight("pre.bias", width), Epsilon, "pre");
        for (int i = 0; i < sizes.Layers; i++)
        {
            string layer = $"layers.{i}.";
            Tensor Project(Tensor input, string name, int rows, int columns, Activation activation = Activation.None, Tensor? residual = null) => builder.Linear(
                input, Weight($"{layer}{name}.weight", rows, columns), Weight($"{layer}{name}.bias", rows), activation, residual, name: layer + name);
            Tensor Norm(Tensor input, string name) => builder.LayerNorm(
                input, Weight($"{layer}{name}.weight", width), Weight($"{layer}{name}.bias", width), Epsilon, layer + name);

            Tensor normed = Norm(stream, "norm1");
            Tensor attended = builder.VisionAttention(
                Project(normed, "q", width, width), Project(normed, "k", width, width), Project(normed, "v", width, width), tokens, sizes.Heads, layer + "attention");
            stream = Project(attended, "out", width, width, residual: stream);
            Tensor wide = Project(Norm(stream, "norm2"), "fc1", sizes.Intermediate, width, Activation.QuickGelu);
            stream = Project(wide, "fc2", width, sizes.Intermediate, residual: stream);
        }

        Tensor patches = builder.SelectPatches(stream, tokens);
        Tensor hidden = builder.Linear(patches, Weight("projector.0", sizes.Projected, width), Weight("projector.0.bias", sizes.Projected), Activation.Gelu);
        builder.MarkOutput(builder.Linear(hidden, Weight("projector.2", sizes.Projected, sizes.Projected), Weight("projector.2.bias", sizes.Projected), name: "visual"));
        return builder.Build();
    }

    /// <param name="sizes">Decoder sizes.</param>
    /// <param name="tokens">Token capacity.</param>
    /// <param name="logits">Logit capacity.</param>
    /// <param name="visualRows">Rows of the visual input; 0 omits pictures and Partial LoRA, as in decode.</param>
    /// <param name="weights">Type of all weights.</param>
    public static ComputeGraph Decoder(DecoderSizes sizes, int tokens, int logits, int visualRows, DType weights = DType.F32)
    {
        var builder = new GraphBuilder(visualRows > 0 ? "prefill" : "decode", new RowCounts(tokens, logits, 0));
        (int hidden, int wide, AttentionGeometry geometry) = (sizes.Hidden, sizes.Intermediate, sizes.Attention);
        Tensor Weight(string name, params ReadOnlySpan<int> shape) => builder.Weight(name, weights, new Shape(shape));
        PartialLora? Lora(string name, int outputs, int inputs) => visualRows == 0
            ? null
            : new PartialLora(builder.Stored(Weight(name + ".A", sizes.Rank, inputs)), builder.Stored(Weight(name + ".B", outputs, sizes.Rank)), 1f);

        Tensor ids = builder.Input("ids", DType.I32, RowExtent.Tokens);
        Tensor rows = builder.Input("rows", DType.I32, RowExtent.Logits);
        Tensor? visual = visualRows == 0 ? null : builder.Input("visual", DType.F32, RowExtent.Fixed(visualRows), hidden);
        Tensor? visualRow = visualRows == 0 ? null : builder.Input("visual_row", DType.I32, RowExtent.Tokens);
        Tensor stream = builder.EmbedTokens(ids, Weight("embeddings", sizes.Vocabulary, hidden), visual, visualRow, "embedded");
        for (int i = 0; i < sizes.Layers; i++)
        {
            string layer = $"layers.{i}.";
            Tensor Project(Tensor input, string name, int outputs, int inputs, Tensor? residual = null) => builder.Linear(
                input, Weight($"{layer}{name}.weight", outputs, inputs), residual: residual, lora: Lora(layer + name, outputs, inputs), visualRow: visualRow, name: layer + name);

            Tensor normed = builder.RmsNorm(stream, Weight(layer + "attention_norm.weight", hidden), Epsilon, layer + "attention_norm");
            Tensor packed = Project(normed, "wqkv", geometry.PackedColumns, hidden);
            Tensor query = builder.RopeKvAppend(packed, i, geometry, 1e6f, layer + "query");
            Tensor attended = builder.PagedAttention(query, i, geometry, layer + "attention");
            stream = Project(attended, "wo", hidden, geometry.QueryColumns, stream);
            normed = builder.RmsNorm(stream, Weight(layer + "ffn_norm.weight", hidden), Epsilon, layer + "ffn_norm");
            Tensor gated = builder.GatedLinear(
                normed,
                Weight(layer + "w1.weight", wide, hidden),
                Weight(layer + "w3.weight", wide, hidden),
                Lora(layer + "w1", wide, hidden),
                Lora(layer + "w3", wide, hidden),
                visualRow,
                layer + "gated");
            stream = Project(gated, "w2", hidden, wide, stream);
        }

        Tensor last = builder.SelectRows(stream, rows, "last");
        last = builder.RmsNorm(last, Weight("norm.weight", hidden), Epsilon, "norm");
        builder.MarkOutput(builder.Linear(last, Weight("output.weight", sizes.Vocabulary, hidden), name: "logits"));
        return builder.Build();
    }
}
