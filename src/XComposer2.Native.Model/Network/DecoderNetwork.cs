using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>The language model as graphs: one for prompts, with pictures and Partial LoRA, and one for generated tokens, which have neither.</summary>
public static class DecoderNetwork
{
    /// <summary>Input: token ids [tokens]; not read for visual tokens.</summary>
    public const string Ids = "ids";

    /// <summary>Input of prefill: row of <see cref="Visual"/>'s memory for each token, negative for text [tokens].</summary>
    public const string VisualRow = "visual_row";

    /// <summary>Resident rows of prefill: rows of pictures [any, hidden].</summary>
    public const string Visual = "visual";

    /// <summary>Input of prefill: tokens whose logits are wanted [logits].</summary>
    public const string LogitRows = "logit_rows";

    /// <summary>Input of a graph that is trained: not negative for those of <see cref="LogitRows"/> that are visual [logits].</summary>
    public const string LogitVisualRow = "logit_visual_row";

    /// <summary>Output: [logits, vocabulary] of prefill, [tokens, vocabulary] of decode.</summary>
    public const string Logits = "logits";

    /// <summary>Output where stages are kept: the final norm's result for the tokens whose logits are wanted [logits, hidden].</summary>
    public const string Normed = "normed";

    /// <summary>Output where stages are kept, but for the last layer's: 0 is the input of the first layer, n the result of layer n [tokens, hidden].</summary>
    public static string HiddenState(int index) => $"hidden.{index}";

    /// <param name="config">Sizes.</param>
    /// <param name="weights">Types.</param>
    /// <param name="tokens">Capacity.</param>
    /// <param name="logits">Capacity.</param>
    /// <param name="keepStages">Makes every layer's result an output, for verification.</param>
    internal static ComputeGraph BuildPrefill(DecoderConfig config, WeightFacts weights, int tokens, int logits, bool keepStages = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        var builder = new GraphBuilder("prefill", new RowCounts(tokens, logits, 0));
        Tensor normed = Prompt(builder, config, weights, static (to, hidden) => to.Resident(Visual, DType.F32, hidden), keepStages);
        if (keepStages)
            builder.MarkOutput(normed);
        return builder.Build();
    }

    /// <summary>The whole of prefill, with its inputs.</summary>
    /// <param name="builder">Takes the operations.</param>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">Types.</param>
    /// <param name="visualRows">Gives the rows of pictures [any, hidden], when their place among the inputs has come.</param>
    /// <param name="keepStages">Makes every layer's result an output.</param>
    /// <param name="selectsEarly">What follows the last attention is computed for the wanted rows alone. Training wants few rows of many: for a decoder of 3 layers this is a fifth of it.</param>
    /// <returns>The final norm's result.</returns>
    internal static Tensor Prompt(
        GraphBuilder builder, DecoderConfig config, WeightFacts weights, Func<GraphBuilder, int, Tensor> visualRows, bool keepStages, bool selectsEarly = false)
    {
        Tensor ids = builder.Input(Ids, DType.I32, RowExtent.Tokens);
        Tensor visualRow = builder.Input(VisualRow, DType.I32, RowExtent.Tokens);
        Tensor visual = visualRows(builder, config.HiddenSize);
        Tensor logitRows = builder.Input(LogitRows, DType.I32, RowExtent.Logits);
        Tensor stream = builder.EmbedTokens(ids, weights.DeclareMatrix(builder, CheckpointFolder.EmbeddingName), visual, visualRow, HiddenState(0));
        WantedRows? wanted = selectsEarly ? new WantedRows(logitRows, builder.Input(LogitVisualRow, DType.I32, RowExtent.Logits)) : null;
        stream = Layers(builder, config, weights, stream, visualRow, keepStages, wanted);
        return Head(builder, config, weights, selectsEarly ? stream : builder.SelectRows(stream, logitRows, "selected"));
    }

    /// <summary>One token of each sequence.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">Types.</param>
    /// <param name="sequences">Capacity.</param>
    internal static ComputeGraph BuildDecode(DecoderConfig config, WeightFacts weights, int sequences)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        var builder = new GraphBuilder("decode", new RowCounts(sequences, 0, 0)) { HasOneRowPerSequence = true };
        Tensor ids = builder.Input(Ids, DType.I32, RowExtent.Tokens);
        Tensor stream = builder.EmbedTokens(ids, weights.DeclareMatrix(builder, CheckpointFolder.EmbeddingName), name: HiddenState(0));
        Head(builder, config, weights, Layers(builder, config, weights, stream, null, keepStages: false));
        return builder.Build();
    }

    /// <summary>One layer alone, which keeps what its linears are given: from <see cref="HiddenState"/> of its index to that of the next.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">Types.</param>
    /// <param name="layer">Which; its cache is the first of the memory.</param>
    /// <param name="tokens">Capacity.</param>
    public static LayerGraph BuildLayer(DecoderConfig config, WeightFacts weights, int layer, int tokens)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        var builder = new GraphBuilder("layer", new RowCounts(tokens, 0, 0));
        Tensor visualRow = builder.Input(VisualRow, DType.I32, RowExtent.Tokens);
        Tensor stream = builder.Input(HiddenState(layer), DType.F32, RowExtent.Tokens, config.HiddenSize);
        var inputs = new Tensor[4];
        Tensor output = Layer(builder, config, weights, (layer, 0), stream, visualRow, inputs, null);
        foreach (Tensor kept in inputs)
            builder.MarkOutput(kept);
        builder.MarkOutput(output);
        return new LayerGraph(builder.Build(), stream, visualRow, inputs, output);
    }

    private static Tensor Layers(GraphBuilder builder, DecoderConfig config, WeightFacts weights, Tensor stream, Tensor? visualRow, bool keepStages, WantedRows? wanted = null)
    {
        Keep(stream);
        for (int layer = 0; layer < config.LayerCount; layer++)
        {
            stream = Layer(builder, config, weights, (layer, layer), stream, visualRow, null, layer == config.LayerCount - 1 ? wanted : null);
            if (layer < config.LayerCount - 1)
                Keep(stream);
        }

        return stream;

        void Keep(Tensor tensor)
        {
            if (keepStages)
                builder.MarkOutput(tensor);
        }
    }

    // Inputs: what the linears are given, in the order of LinearInput; null where nobody asks. Wanted: rows of the result; null for all.
    private static Tensor Layer(
        GraphBuilder builder, DecoderConfig config, WeightFacts weights, (int Index, int Cache) layer, Tensor stream, Tensor? visualRow, Tensor[]? inputs, WantedRows? wanted)
    {
        string prefix = $"model.layers.{layer.Index}.";
        Tensor normed = builder.RmsNorm(stream, Weight(prefix + "attention_norm.weight"), config.NormEpsilon, prefix + "attention_norm");
        Tensor packed = Linear(normed, prefix + "attention.wqkv", config.Plora.Wqkv);
        Tensor query = builder.RopeKvAppend(packed, layer.Cache, config.Attention, config.RopeTheta, prefix + "attention.query");
        Tensor attended = builder.PagedAttention(query, layer.Cache, config.Attention, prefix + "attention");
        if (wanted is { } some)
        {
            (attended, stream) = (builder.SelectRows(attended, some.Rows, prefix + "attention.wanted"), builder.SelectRows(stream, some.Rows, prefix + "wanted"));
            visualRow = some.VisualRow;
        }

        stream = Linear(attended, prefix + "attention.wo", config.Plora.Wo, stream);
        Tensor wide = builder.RmsNorm(stream, Weight(prefix + "ffn_norm.weight"), config.NormEpsilon, prefix + "ffn_norm");
        Tensor gated = builder.GatedLinear(
            wide,
            Matrix(prefix + "feed_forward.w1.weight"),
            Matrix(prefix + "feed_forward.w3.weight"),
            Lora(prefix + "feed_forward.w1", config.Plora.W1),
            Lora(prefix + "feed_forward.w3", config.Plora.W3),
            visualRow,
            prefix + "feed_forward.gated");
        if (inputs is not null)
            (inputs[0], inputs[1], inputs[2], inputs[3]) = (normed, attended, wide, gated);
        return Linear(gated, prefix + "feed_forward.w2", config.Plora.W2, stream, HiddenState(layer.Index + 1));

        Tensor Weight(string name) => weights.Declare(builder, name);

        LinearWeight Matrix(string name) => weights.DeclareMatrix(builder, name);

        Tensor Linear(Tensor input, string name, PloraConfig plora, Tensor? residual = null, string? result = null) => builder.Linear(
            input,
            Matrix(name + ".weight"),
            residual: residual,
            lora: Lora(name, plora),
            visualRow: visualRow,
            name: result ?? name);

        PartialLora? Lora(string name, PloraConfig plora) => visualRow is null || plora.Rank == 0
            ? null
            : new PartialLora(Matrix(name + ".Plora_A.weight"), Matrix(name + ".Plora_B.weight"), plora.Scale);
    }

    private readonly record struct WantedRows(Tensor Rows, Tensor VisualRow);

    private static Tensor Head(GraphBuilder builder, DecoderConfig config, WeightFacts weights, Tensor stream)
    {
        Tensor normed = builder.RmsNorm(stream, weights.Declare(builder, "model.norm.weight"), config.NormEpsilon, Normed);
        builder.MarkOutput(builder.Linear(normed, weights.DeclareMatrix(builder, "output.weight"), name: Logits));
        return normed;
    }
}

/// <summary>A decoder layer as a graph of its own.</summary>
/// <param name="Graph">The graph.</param>
/// <param name="Stream">Input: the residual stream before the layer [tokens, hidden].</param>
/// <param name="VisualRow">Input: not negative for visual rows [tokens].</param>
/// <param name="Inputs">Outputs: what its linears are given, in the order of <c>LinearInput</c>.</param>
/// <param name="Output">Output: the residual stream after the layer.</param>
public sealed record LayerGraph(ComputeGraph Graph, Tensor Stream, Tensor VisualRow, IReadOnlyList<Tensor> Inputs, Tensor Output);
