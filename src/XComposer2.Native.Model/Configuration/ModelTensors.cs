using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Names and shapes of all tensors of a model; linears are [out, in].</summary>
public static class ModelTensors
{
    public const string VisionPrefix = "vit.vision_tower.vision_model.";
    public const string PositionTableName = VisionPrefix + "embeddings.position_embedding.weight";

    /// <summary>In the order of the network.</summary>
    public static IReadOnlyList<ExpectedTensor> Expected(ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        List<ExpectedTensor> tensors = [];
        DecoderConfig decoder = config.Decoder;
        int hidden = decoder.HiddenSize;
        Add("model.tok_embeddings.weight", TensorKind.Embedding, decoder.VocabularySize, hidden);
        for (int layer = 0; layer < decoder.LayerCount; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            Add(prefix + "attention_norm.weight", TensorKind.Norm, hidden);
            Linear(prefix + "attention.wqkv", TensorKind.Attention, decoder.Attention.PackedColumns, hidden, decoder.Plora.Wqkv);
            Linear(prefix + "attention.wo", TensorKind.Attention, hidden, decoder.Attention.QueryColumns, decoder.Plora.Wo);
            Add(prefix + "ffn_norm.weight", TensorKind.Norm, hidden);
            Linear(prefix + "feed_forward.w1", TensorKind.FeedForward, decoder.IntermediateSize, hidden, decoder.Plora.W1);
            Linear(prefix + "feed_forward.w3", TensorKind.FeedForward, decoder.IntermediateSize, hidden, decoder.Plora.W3);
            Linear(prefix + "feed_forward.w2", TensorKind.FeedForward, hidden, decoder.IntermediateSize, decoder.Plora.W2);
        }
        Add("model.norm.weight", TensorKind.Norm, hidden);
        Add("output.weight", TensorKind.Head, decoder.VocabularySize, hidden);
        AddVision(tensors, config.Vision);
        if (config.Variant == ModelVariant.HighResolution7B)
        {
            Add("plora_glb_GN", TensorKind.Projector, 1, 1, config.ProjectorInputSize);
            Add("plora_sub_GN", TensorKind.Projector, 1, 1, 1, config.ProjectorInputSize);
        }
        Add("vision_proj.0.weight", TensorKind.Projector, hidden, config.ProjectorInputSize);
        Add("vision_proj.0.bias", TensorKind.Projector, hidden);
        Add("vision_proj.2.weight", TensorKind.Projector, hidden, hidden);
        Add("vision_proj.2.bias", TensorKind.Projector, hidden);
        return tensors;

        void Linear(string name, TensorKind kind, int outputs, int inputs, PloraConfig plora)
        {
            Add(name + ".weight", kind, outputs, inputs);
            if (plora.Rank == 0)
                return;
            Add(name + ".Plora_A.weight", TensorKind.PartialLora, plora.Rank, inputs);
            Add(name + ".Plora_B.weight", TensorKind.PartialLora, outputs, plora.Rank);
        }

        void Add(string name, TensorKind kind, params ReadOnlySpan<int> sizes) => tensors.Add(new ExpectedTensor(name, new Shape(sizes), kind));
    }

    /// <summary>Which part of the model a name belongs to, whether or not it is expected.</summary>
    public static TensorKind KindOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.StartsWith("vit.", StringComparison.Ordinal))
            return TensorKind.Vision;
        if (name.StartsWith("vision_proj.", StringComparison.Ordinal) || name is "plora_glb_GN" or "plora_sub_GN")
            return TensorKind.Projector;
        if (name.Contains(".Plora_", StringComparison.Ordinal))
            return TensorKind.PartialLora;
        if (name.EndsWith("norm.weight", StringComparison.Ordinal))
            return TensorKind.Norm;
        if (name.Contains(".attention.", StringComparison.Ordinal))
            return TensorKind.Attention;
        if (name.Contains(".feed_forward.", StringComparison.Ordinal))
            return TensorKind.FeedForward;
        return name switch
        {
            "model.tok_embeddings.weight" => TensorKind.Embedding,
            "output.weight" => TensorKind.Head,
            _ => TensorKind.Unknown,
        };
    }

    /// <summary>Names that re-saved checkpoints carry and the model does not use.</summary>
    public static bool IsIgnored(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.StartsWith(VisionPrefix + "post_layernorm.", StringComparison.Ordinal)
            || name == VisionPrefix + "embeddings.position_ids"
            || name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal);
    }

    /// <summary>Tensor names of unmerged fine-tuning adapters.</summary>
    public static bool IsAdapter(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.StartsWith("base_model.", StringComparison.Ordinal)
            || name.StartsWith("lora_", StringComparison.Ordinal)
            || name.Contains(".lora_", StringComparison.Ordinal)
            || name.Contains(".base_layer.", StringComparison.Ordinal)
            || name.Contains(".modules_to_save.", StringComparison.Ordinal)
            || name.Contains(".ia3_l", StringComparison.Ordinal);
    }

    private static void AddVision(List<ExpectedTensor> tensors, VisionConfig vision)
    {
        int width = vision.Width;
        Add("embeddings.class_embedding", width);
        Add("embeddings.patch_embedding.weight", width, 3, vision.PatchSize, vision.PatchSize);
        Add("embeddings.position_embedding.weight", (vision.StoredGrid * vision.StoredGrid) + 1, width);
        AddPair("pre_layrnorm", width);
        for (int layer = 0; layer < vision.LayerCount; layer++)
        {
            string prefix = $"encoder.layers.{layer}.";
            AddPair(prefix + "layer_norm1", width);
            foreach (string projection in (ReadOnlySpan<string>)["q_proj", "k_proj", "v_proj", "out_proj"])
                AddPair(prefix + "self_attn." + projection, width, width);
            AddPair(prefix + "layer_norm2", width);
            AddPair(prefix + "mlp.fc1", vision.IntermediateSize, width);
            AddPair(prefix + "mlp.fc2", width, vision.IntermediateSize);
        }

        void AddPair(string name, params ReadOnlySpan<int> sizes)
        {
            Add(name + ".weight", sizes);
            Add(name + ".bias", sizes[0]);
        }

        void Add(string name, params ReadOnlySpan<int> sizes) => tensors.Add(new ExpectedTensor(VisionPrefix + name, new Shape(sizes), TensorKind.Vision));
    }
}

/// <summary>A tensor that a checkpoint of some configuration must have.</summary>
public sealed record ExpectedTensor(string Name, Shape Shape, TensorKind Kind);

public enum TensorKind : byte
{
    Embedding,
    Norm,
    Attention,
    FeedForward,
    PartialLora,
    Vision,
    Projector,
    Head,

    /// <summary>Of no part of this model.</summary>
    Unknown,
}
