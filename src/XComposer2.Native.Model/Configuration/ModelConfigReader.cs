using System.Globalization;
using System.Text.Json;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// Decides a model's sizes: from the tensors where they prove one, else from config.json, else as published. Where tensors and
/// config.json disagree, that is an error that names both. <c>plora</c> {rank, alpha}, <c>vision_config</c> and <c>xcomposer2_native</c>
/// {prompt_style, article_prompt} in config.json are this project's additions, absent from the published files.
/// </summary>
public static class ModelConfigReader
{
    private const int MaximumSize = 1 << 20;
    private const int MaximumImageSize = 2048;

    // Far over what was published (32 layers, 35 patches a side), and low enough that a hostile folder cannot make lists or tables of gigabytes.
    internal const int MaximumLayers = 1024;
    private const int MaximumGrid = 128;
    private const int TileSize = 336;
    private const int MaximumTokenIds = 64;

    /// <param name="file">Path of config.json, for messages.</param>
    /// <param name="json">Its bytes.</param>
    /// <param name="tensors">All tensors of the checkpoint; may be empty.</param>
    /// <exception cref="CheckpointException">A field is malformed, unsupported, or contradicts the tensors.</exception>
    public static ModelConfig Resolve(string file, ReadOnlySpan<byte> json, IReadOnlyList<CheckpointTensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        using JsonDocument document = ConfigSection.ParseDocument(file, json);
        ConfigSection config = new(file, "", document.RootElement);
        TensorShapes shapes = new(tensors);
        RequireSupported(config);

        VisionConfig vision = ResolveVision(file, config.Section("vision_config"), config, shapes);
        bool tiled = IsTiled(config, shapes, vision);
        DecoderConfig decoder = ResolveDecoder(file, config, shapes);
        int imageSize = config.Integer("img_size", 1, MaximumImageSize) ?? (tiled ? TileSize : vision.StoredGrid * vision.PatchSize);
        if (imageSize % vision.PatchSize != 0)
            throw config.Bad("img_size", $"a multiple of the patch size {vision.PatchSize}", $"{imageSize}");
        if (imageSize / vision.PatchSize > MaximumGrid)
            throw config.Bad("img_size", $"at most {MaximumGrid} patches of {vision.PatchSize} a side", $"{imageSize}");
        ModelConfig model = new()
        {
            Decoder = decoder,
            Vision = vision,
            ImageSize = imageSize,
            ContextLength = Math.Min(config.Integer("max_length", 1, MaximumSize) ?? (tiled ? 16384 : 4096), decoder.MaximumPositions),
            BosTokenId = IdsOf(config, "bos_token_id", 1, decoder)[0],
            EosTokenIds = new TokenIds([.. IdsOf(config, "eos_token_id", 2, decoder)]),
            PadTokenId = IdsOf(config, "pad_token_id", 2, decoder, minimum: -1)[0],
            StoredType = (config.Text("torch_dtype") ?? config.Text("dtype")) switch { "bfloat16" => DType.BF16, "float16" => DType.F16, "float32" => DType.F32, _ => null },
        };
        model = model with { Variant = tiled ? ModelVariant.HighResolution7B : Recognise(model) };
        return WithPrompts(model, config.Section("xcomposer2_native"));
    }

    private static ModelConfig WithPrompts(ModelConfig model, ConfigSection own)
    {
        string style = own.Text("prompt_style") ?? PromptStyle.Chat.Name;
        if (PromptStyle.All.All(known => known.Name != style))
            throw own.Bad("prompt_style", string.Join(", ", PromptStyle.All.Select(known => known.Name)), CheckpointException.Show(style));
        string? article = own.Text("article_prompt");
        if (article is not null && !article.Contains("{title}", StringComparison.Ordinal))
            throw own.Bad("article_prompt", "a text with {title} in it", CheckpointException.Show(article));
        return model with { PromptStyle = PromptStyle.Find(style, model), ArticlePrompt = article };
    }

    private static void RequireSupported(ConfigSection config)
    {
        if (config.Text("model_type") is { } type and not ("internlmxcomposer2" or "internlm" or "internlm2"))
            throw config.Bad("model_type", "internlmxcomposer2 (or internlm, as the 4-bit checkpoints say)", CheckpointException.Show(type));
        if (config.Text("hidden_act") is { } activation and not "silu")
            throw config.Bad("hidden_act", "silu", CheckpointException.Show(activation));
        if (config.Truth("bias") == true)
            throw config.Bad("bias", "false: the decoder's linears have none", "true");
        if (config.Truth("tie_word_embeddings") == true)
            throw config.Bad("tie_word_embeddings", "false: the head has weights of its own", "true");
        RequireSupportedRope(config.Section("rope_scaling"));
        RequireSupportedRope(config.Section("rope_parameters"));
    }

    /// <summary>Checks both field names of the scaling type. Dynamic scaling has no effect within <c>max_position_embeddings</c>, and longer contexts are rejected.</summary>
    private static void RequireSupportedRope(ConfigSection scaling)
    {
        bool isScaled = scaling.Number("factor", 0, double.MaxValue) is not 1;
        foreach (string field in (ReadOnlySpan<string>)["rope_type", "type"])
            if (scaling.Text(field) is { } kind and not ("dynamic" or "default") && isScaled)
                throw scaling.Bad(field, "dynamic or default, or factor 1", CheckpointException.Show(kind));
    }

    private static DecoderConfig ResolveDecoder(string file, ConfigSection config, TensorShapes shapes)
    {
        const string firstLayer = "model.layers.0.";
        int vocabulary = Decide(config, "vocab_size", shapes.Size("model.tok_embeddings.weight", 0, 2) ?? shapes.Size("output.weight", 0, 2), 92544);
        int hidden = Decide(config, "hidden_size", shapes.Size("model.tok_embeddings.weight", 1, 2) ?? shapes.Size("model.norm.weight", 0, 1), 4096);
        int intermediate = Decide(config, "intermediate_size", shapes.Size(firstLayer + "feed_forward.w1.weight", 0, 2), 14336);
        int layers = Decide(config, "num_hidden_layers", shapes.CountLayers("model.layers.", file), 32, maximum: MaximumLayers);
        int heads = Decide(config, "num_attention_heads", null, Math.Max(1, hidden / 128));
        if (hidden % heads != 0 || hidden / heads % 2 != 0)
            throw config.Bad("num_attention_heads", $"a number that divides hidden_size {hidden} into heads of even size", $"{heads}");
        int headSize = hidden / heads;
        SizeEvidence? packed = shapes.Size(firstLayer + "attention.wqkv.weight", 0, 2);
        SizeEvidence? keyValueHeads = packed is { } rows && rows.Value > hidden && (rows.Value - hidden) % (2 * headSize) == 0
            ? new SizeEvidence((rows.Value - hidden) / (2 * headSize), rows.Source)
            : null;
        if (packed is { } odd && keyValueHeads is null)
            throw config.Bad("num_attention_heads", $"heads that fill {odd.Source}: hidden + 2 x key/value heads x head size rows", $"{heads} heads of {headSize}");
        int keyValue = Decide(config, "num_key_value_heads", keyValueHeads, packed is null ? Math.Min(8, heads) : heads);
        if (heads % keyValue != 0)
            throw config.Bad("num_key_value_heads", $"a divisor of the {heads} attention heads", $"{keyValue}");
        return new DecoderConfig
        {
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            IntermediateSize = intermediate,
            LayerCount = layers,
            Attention = new AttentionGeometry(heads, keyValue, headSize),
            Plora = ResolvePlora(config, shapes, firstLayer),
            NormEpsilon = (float)(config.Number("rms_norm_eps", 0, 1) ?? 1e-5),
            RopeTheta = (float)(config.Number("rope_theta", 1, 1e12) ?? config.Section("rope_parameters").Number("rope_theta", 1, 1e12) ?? 1e6),
            MaximumPositions = config.Integer("max_position_embeddings", 1, MaximumSize) ?? 32768,
        };
    }

    private static DecoderPlora ResolvePlora(ConfigSection config, TensorShapes shapes, string layer)
    {
        ConfigSection plora = config.Section("plora");
        double? alpha = plora.Number("alpha", 0, MaximumSize);
        return new DecoderPlora(One("attention.wqkv"), One("attention.wo"), One("feed_forward.w1"), One("feed_forward.w3"), One("feed_forward.w2"));

        PloraConfig One(string linear)
        {
            int rank = Decide(plora, "rank", shapes.Size($"{layer}{linear}.Plora_A.weight", 0, 2), 256, minimum: 0);
            if (rank == 0)
                return default;
            // The original class defaults to r = 8, alpha = 16, which wqkv of the 4khd model keeps; everywhere else alpha is the rank.
            double scale = alpha is { } given ? given / rank : rank == 8 ? 2 : 1;
            return new PloraConfig(rank, (float)scale);
        }
    }

    private static VisionConfig ResolveVision(string file, ConfigSection vision, ConfigSection config, TensorShapes shapes)
    {
        const string prefix = ModelTensors.VisionPrefix;
        VisionConfig published = ModelPresets.ClipLarge(24);
        if (vision.Text("hidden_act") is { } activation and not "quick_gelu")
            throw vision.Bad("hidden_act", "quick_gelu", CheckpointException.Show(activation));
        int width = Decide(vision, "hidden_size", shapes.Size(prefix + "embeddings.class_embedding", 0, 1), published.Width);
        int patch = Decide(vision, "patch_size", shapes.Size(prefix + "embeddings.patch_embedding.weight", 2, 4), published.PatchSize);
        int heads = Decide(vision, "num_attention_heads", null, Math.Max(1, width / 64));
        if (width % heads != 0)
            throw vision.Bad("num_attention_heads", $"a divisor of the width {width}", $"{heads}");
        return new VisionConfig
        {
            Width = width,
            IntermediateSize = Decide(vision, "intermediate_size", shapes.Size(prefix + "encoder.layers.0.mlp.fc1.weight", 0, 2), 4 * width),
            LayerCount = Decide(vision, "num_hidden_layers", shapes.CountLayers(prefix + "encoder.layers.", file), published.LayerCount, maximum: MaximumLayers),
            HeadCount = heads,
            PatchSize = patch,
            StoredGrid = StoredGrid(file, shapes) ?? Math.Max(1, (vision.Integer("image_size", 1, MaximumImageSize) ?? config.Integer("img_size", 1, MaximumImageSize) ?? TileSize) / patch),
            NormEpsilon = (float)(vision.Number("layer_norm_eps", 0, 1) ?? 1e-5),
        };
    }

    private static int? StoredGrid(string file, TensorShapes shapes)
    {
        if (shapes.Size(ModelTensors.PositionTableName, 0, 2) is not { } rows)
            return null;
        int grid = (int)Math.Sqrt(Math.Max(0, rows.Value - 1));
        if (grid < 1 || (grid * grid) + 1 != rows.Value)
            throw new CheckpointException(file, ModelTensors.PositionTableName, "a square number of patches and one class row", rows.Source);
        return grid;
    }

    private static bool IsTiled(ConfigSection config, TensorShapes shapes, VisionConfig vision) =>
        shapes.Has("plora_sub_GN")
        || shapes.Size("vision_proj.0.weight", 1, 2) is { } columns && columns.Value == 4 * vision.Width
        || (!shapes.Any && config.Integer("img_size", 1, MaximumImageSize) is null && config.Integer("max_length", 1, MaximumSize) == 16384);

    private static ModelVariant Recognise(ModelConfig model)
    {
        foreach (string name in ModelPresets.Names)
        {
            ModelConfig preset = ModelPresets.Find(name);
            if (preset.ImageSize == model.ImageSize && preset.Vision.Width == model.Vision.Width && preset.Vision.LayerCount == model.Vision.LayerCount
                && preset.Decoder.HiddenSize == model.Decoder.HiddenSize && preset.Decoder.LayerCount == model.Decoder.LayerCount
                && preset.Decoder.IntermediateSize == model.Decoder.IntermediateSize && preset.Decoder.Attention == model.Decoder.Attention)
                return preset.Variant;
        }
        return ModelVariant.Other;
    }

    /// <param name="config">The document.</param>
    /// <param name="field">Field with one ID or a list of IDs.</param>
    /// <param name="published">Default for an absent field.</param>
    /// <param name="decoder">Has the vocabulary.</param>
    /// <param name="minimum">-1 if the field may state that there is no such token.</param>
    private static IReadOnlyList<int> IdsOf(ConfigSection config, string field, int published, DecoderConfig decoder, int minimum = 0)
    {
        IReadOnlyList<int> ids = config.Integers(field, minimum, int.MaxValue, MaximumTokenIds) ?? [published];
        return ids.FirstOrDefault(id => id >= decoder.VocabularySize, -1) is >= 0 and int outside
            ? throw config.Bad(field, $"an id below the vocabulary's {decoder.VocabularySize}", $"{outside}")
            : [.. ids.Select(id => id < 0 ? published : id)];
    }

    private static int Decide(ConfigSection config, string field, SizeEvidence? evidence, int published, int minimum = 1, int maximum = MaximumSize)
    {
        int? stated = config.Integer(field, minimum, maximum);
        if (evidence is not { } proven)
            return stated ?? published;
        if (proven.Value < 1 || proven.Value > maximum)
            throw config.Bad(field, $"1 to {maximum}", $"{proven.Value} in {proven.Source}");
        if (stated is { } other && other != proven.Value)
            throw config.Bad(field, $"{proven.Value}, as the tensors have it ({proven.Source})", $"{other}");
        return proven.Value;
    }
}

/// <summary>The shapes that a checkpoint's tensors have, asked for when sizes are decided.</summary>
internal sealed class TensorShapes
{
    private readonly Dictionary<string, Shape> shapes = [];

    public TensorShapes(IReadOnlyList<CheckpointTensor> tensors)
    {
        foreach (CheckpointTensor tensor in tensors)
            shapes[tensor.Name] = tensor.Shape;
    }

    public bool Any => shapes.Count > 0;

    public bool Has(string name) => shapes.ContainsKey(name);

    /// <summary>One size of a tensor; null where the tensor is absent or of another rank.</summary>
    public SizeEvidence? Size(string name, int dimension, int rank) =>
        shapes.TryGetValue(name, out Shape shape) && shape.Rank == rank ? new SizeEvidence(shape[dimension], $"{name} {shape}") : null;

    /// <summary>How many consecutive numbers from 0 follow <paramref name="prefix"/> in names; null where none does.</summary>
    public SizeEvidence? CountLayers(string prefix, string file)
    {
        // Flags by layer number: numbers from the file are not used as hash keys.
        Span<bool> found = stackalloc bool[ModelConfigReader.MaximumLayers + 1];
        int count = 0, last = -1;
        foreach (string name in shapes.Keys)
        {
            if (!name.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            ReadOnlySpan<char> rest = name.AsSpan(prefix.Length);
            int dot = rest.IndexOf('.');
            if (dot <= 0 || !int.TryParse(rest[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out int layer))
                continue;
            if (layer >= found.Length)
                throw new CheckpointException(file, $"tensors {prefix}{layer}.*", $"layers 0 to {ModelConfigReader.MaximumLayers - 1}", $"layer {layer}");
            count += found[layer] ? 0 : 1;
            found[layer] = true;
            last = Math.Max(last, layer);
        }
        if (count == 0)
            return null;
        if (last != count - 1)
            throw new CheckpointException(file, $"tensors {prefix}{found.IndexOf(false)}.*", "layers without a gap", $"none for layer {found.IndexOf(false)}, but layer {last}");
        return new SizeEvidence(count, $"{prefix}0 to {count - 1}");
    }
}

/// <summary>A size that the tensors prove, and which tensor proves it.</summary>
internal readonly record struct SizeEvidence(int Value, string Source);
