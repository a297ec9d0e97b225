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
        Tensor ids = builder.Input(Ids, DType.I32, RowExtent.Tokens);
        Tensor visualRow = builder.Input(VisualRow, DType.I32, RowExtent.Tokens);
        Tensor visual = builder.Resident(Visual, DType.F32, config.HiddenSize);
        Tensor logitRows = builder.Input(LogitRows, DType.I32, RowExtent.Logits);
        Tensor stream = builder.EmbedTokens(ids, weights.Declare(builder, CheckpointFolder.EmbeddingName), visual, visualRow, HiddenState(0));
        stream = Layers(builder, config, weights, stream, visualRow, keepStages);
        stream = builder.SelectRows(stream, logitRows, "selected");
        Tensor normed = Head(builder, config, weights, stream);
        if (keepStages)
            builder.MarkOutput(normed);
        return builder.Build();
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
        Tensor stream = builder.EmbedTokens(ids, weights.Declare(builder, CheckpointFolder.EmbeddingName), name: HiddenState(0));
        Head(builder, config, weights, Layers(builder, config, weights, stream, null, keepStages: false));
        return builder.Build();
    }

    private static Tensor Layers(GraphBuilder builder, DecoderConfig config, WeightFacts weights, Tensor stream, Tensor? visualRow, bool keepStages)
    {
        Keep(stream);
        for (int layer = 0; layer < config.LayerCount; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            Tensor normed = builder.RmsNorm(stream, Weight(prefix + "attention_norm.weight"), config.NormEpsilon, prefix + "attention_norm");
            Tensor packed = Linear(normed, prefix + "attention.wqkv", config.Plora.Wqkv);
            Tensor query = builder.RopeKvAppend(packed, layer, config.Attention, config.RopeTheta, prefix + "attention.query");
            Tensor attended = builder.PagedAttention(query, layer, config.Attention, prefix + "attention");
            stream = Linear(attended, prefix + "attention.wo", config.Plora.Wo, stream);
            normed = builder.RmsNorm(stream, Weight(prefix + "ffn_norm.weight"), config.NormEpsilon, prefix + "ffn_norm");
            Tensor gated = builder.GatedLinear(
                normed,
                Matrix(prefix + "feed_forward.w1.weight"),
                Matrix(prefix + "feed_forward.w3.weight"),
                Lora(prefix + "feed_forward.w1", config.Plora.W1),
                Lora(prefix + "feed_forward.w3", config.Plora.W3),
                visualRow,
                prefix + "feed_forward.gated");
            stream = Linear(gated, prefix + "feed_forward.w2", config.Plora.W2, stream, HiddenState(layer + 1));
            if (layer < config.LayerCount - 1)
                Keep(stream);
        }

        return stream;

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

        void Keep(Tensor tensor)
        {
            if (keepStages)
                builder.MarkOutput(tensor);
        }
    }

    private static Tensor Head(GraphBuilder builder, DecoderConfig config, WeightFacts weights, Tensor stream)
    {
        Tensor normed = builder.RmsNorm(stream, weights.Declare(builder, "model.norm.weight"), config.NormEpsilon, Normed);
        builder.MarkOutput(builder.Linear(normed, weights.DeclareMatrix(builder, "output.weight"), name: Logits));
        return normed;
    }
}
