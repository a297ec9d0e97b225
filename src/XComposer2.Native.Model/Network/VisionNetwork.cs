using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>The picture branch as a graph: CLIP's vision transformer up to its last layer, without post_layernorm and class token, then the projector.</summary>
public static class VisionNetwork
{
    /// <summary>Input: normalised pictures [images, 3, S, S].</summary>
    public const string Pixels = "pixels";

    /// <summary>Output: rows for the decoder [images x tokens per image, hidden].</summary>
    public const string ImageEmbeds = "image_embeds";

    /// <summary>Output where stages are kept: [images x tokens per image, width].</summary>
    public const string ImageFeatures = "image_features";

    /// <summary>Output where stages are kept: 0 is after pre_layrnorm, n after layer n; [images x (tokens per image + 1), width].</summary>
    public static string HiddenState(int index) => $"vit_hidden_states.{index}";

    /// <param name="config">Sizes.</param>
    /// <param name="weights">Types.</param>
    /// <param name="images">Capacity.</param>
    /// <param name="keepStages">Makes every layer's result an output, for verification.</param>
    internal static ComputeGraph Build(ModelConfig config, WeightFacts weights, int images, bool keepStages = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        config.RequireSupportedImages("config.json");
        var builder = new GraphBuilder("vision", new RowCounts(0, 0, images));
        builder.MarkOutput(Rows(builder, config, weights, keepStages));
        return builder.Build();
    }

    /// <summary>The whole branch, with its input.</summary>
    /// <returns>Rows for the decoder.</returns>
    internal static Tensor Rows(GraphBuilder builder, ModelConfig config, WeightFacts weights, bool keepStages)
    {
        Tensor features = Features(builder, config, weights, keepStages);
        Tensor wide = builder.Linear(features, Matrix("vision_proj.0.weight"), Weight("vision_proj.0.bias"), Activation.Gelu, name: "vision_proj.0");
        Tensor embeds = builder.Linear(wide, Matrix("vision_proj.2.weight"), Weight("vision_proj.2.bias"), name: ImageEmbeds);
        if (keepStages)
            builder.MarkOutput(features);
        return embeds;

        Tensor Weight(string name) => weights.Declare(builder, name);

        LinearWeight Matrix(string name) => weights.DeclareMatrix(builder, name);
    }

    /// <summary>The tower without the projector, with its input.</summary>
    /// <returns>Rows of patches [images x tokens per image, width].</returns>
    internal static Tensor Features(GraphBuilder builder, ModelConfig config, WeightFacts weights, bool keepStages = false) =>
        builder.SelectPatches(Tower(builder, config, weights, keepStages), config.TokensPerImage + 1, ImageFeatures);

    private static Tensor Tower(GraphBuilder builder, ModelConfig config, WeightFacts weights, bool keepStages)
    {
        VisionConfig vision = config.Vision;
        Tensor pixels = builder.Input(Pixels, DType.F32, RowExtent.Images(1), 3, config.ImageSize, config.ImageSize);
        Tensor stream = builder.PatchEmbedding(
            pixels, Weight("embeddings.patch_embedding.weight"), Weight("embeddings.class_embedding"), Weight("embeddings.position_embedding.weight"), "patch_embedding");
        stream = Norm(stream, "pre_layrnorm", HiddenState(0));
        Keep(stream);
        for (int layer = 0; layer < vision.LayerCount; layer++)
        {
            string prefix = $"encoder.layers.{layer}.";
            Tensor normed = Norm(stream, prefix + "layer_norm1");
            Tensor attended = builder.VisionAttention(
                Project(normed, prefix + "self_attn.q_proj"),
                Project(normed, prefix + "self_attn.k_proj"),
                Project(normed, prefix + "self_attn.v_proj"),
                config.TokensPerImage + 1,
                vision.HeadCount,
                $"vit.{layer}.attention");
            stream = Project(attended, prefix + "self_attn.out_proj", residual: stream);
            Tensor wide = Project(Norm(stream, prefix + "layer_norm2"), prefix + "mlp.fc1", Activation.QuickGelu);
            stream = Project(wide, prefix + "mlp.fc2", residual: stream, result: HiddenState(layer + 1));
            Keep(stream);
        }

        return stream;

        Tensor Weight(string name) => weights.Declare(builder, ModelTensors.VisionPrefix + name);

        LinearWeight Matrix(string name) => weights.DeclareMatrix(builder, ModelTensors.VisionPrefix + name);

        Tensor Norm(Tensor input, string name, string? result = null) =>
            builder.LayerNorm(input, Weight(name + ".weight"), Weight(name + ".bias"), vision.NormEpsilon, result ?? name);

        Tensor Project(Tensor input, string name, Activation activation = Activation.None, Tensor? residual = null, string? result = null) =>
            builder.Linear(input, Matrix(name + ".weight"), Weight(name + ".bias"), activation, residual, name: result ?? name);

        void Keep(Tensor tensor)
        {
            if (keepStages)
                builder.MarkOutput(tensor);
        }
    }
}
