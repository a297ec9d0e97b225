using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>The published models' sizes, for plans and measurements without weights.</summary>
public static class ModelPresets
{
    public const string VisionLanguage7B = "internlm-xcomposer2-vl-7b";
    public const string Composition7B = "internlm-xcomposer2-7b";
    public const string VisionLanguage1B8 = "internlm-xcomposer2-vl-1_8b";

    public static IReadOnlyList<string> Names => [VisionLanguage7B, Composition7B, VisionLanguage1B8];

    /// <exception cref="ArgumentException">No preset has this name.</exception>
    public static ModelConfig Find(string name)
    {
        ModelConfig config = name switch
        {
            VisionLanguage7B => Published7B(490, ModelVariant.VisionLanguage7B),
            Composition7B => Published7B(224, ModelVariant.Composition7B),
            VisionLanguage1B8 => Published1_8B(),
            _ => throw new ArgumentException($"no preset '{name}'; there are {string.Join(", ", Names)}", nameof(name)),
        };
        return config with { PromptStyle = PromptStyle.Find(PromptStyle.Chat.Name, config) };
    }

    /// <summary>The same model with another number of decoder layers.</summary>
    public static ModelConfig WithLayers(this ModelConfig config, int layerCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(layerCount);
        return config with { Decoder = config.Decoder with { LayerCount = layerCount } };
    }

    /// <summary>openai/clip-vit-large-patch14 with a position table of this side.</summary>
    internal static VisionConfig ClipLarge(int storedGrid) => new()
    {
        Width = 1024, IntermediateSize = 4096, LayerCount = 24, HeadCount = 16, PatchSize = 14, StoredGrid = storedGrid,
    };

    private static ModelConfig Published7B(int imageSize, ModelVariant variant) => new()
    {
        Decoder = new DecoderConfig
        {
            VocabularySize = 92544, HiddenSize = 4096, IntermediateSize = 14336, LayerCount = 32,
            Attention = new AttentionGeometry(32, 8, 128), Plora = DecoderPlora.Uniform(256, 1f),
        },
        Vision = ClipLarge(imageSize / 14),
        ImageSize = imageSize,
        Variant = variant,
    };

    private static ModelConfig Published1_8B() => new()
    {
        Decoder = new DecoderConfig
        {
            VocabularySize = 92544, HiddenSize = 2048, IntermediateSize = 8192, LayerCount = 24,
            Attention = new AttentionGeometry(16, 8, 128), Plora = DecoderPlora.Uniform(256, 1f),
        },
        Vision = ClipLarge(35),
        ImageSize = 490,
        Variant = ModelVariant.VisionLanguage1B8,
    };
}
