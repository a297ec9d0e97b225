using System.Collections;
using System.Collections.Immutable;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>All sizes and constants of a model, decided from its tensors, its config.json and the published defaults, in this order.</summary>
public sealed record ModelConfig
{
    private const int HeadSizeStep = 8, MaximumHeadSize = 1024, MaximumPatchSize = 256;

    public required DecoderConfig Decoder { get; init; }

    public required VisionConfig Vision { get; init; }

    /// <summary>Side of a picture in pixels, after the resize.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Longest prompt in tokens: max_length, but never beyond <see cref="DecoderConfig.MaximumPositions"/>, where the original would change the
    /// rotary base. The answer comes on top.</summary>
    public int ContextLength { get; init; } = 4096;

    public int BosTokenId { get; init; } = 1;

    /// <summary>Each of them ends an answer; not empty.</summary>
    public TokenIds EosTokenIds { get; init; } = new(2);

    public int PadTokenId { get; init; } = 2;

    /// <summary>torch_dtype; null where config.json does not say.</summary>
    public DType? StoredType { get; init; } = DType.BF16;

    public ModelVariant Variant { get; init; }

    /// <summary>How conversations are written where nothing else is asked for: <c>xcomposer2_native.prompt_style</c> of config.json, else as the published
    /// chat() of the model does.</summary>
    public PromptStyle PromptStyle { get; init; } = PromptStyle.Chat;

    /// <summary><c>xcomposer2_native.article_prompt</c> of config.json: asks for an article in English, <c>{title}</c> stands for its title; null for the published wording.</summary>
    public string? ArticlePrompt { get; init; }

    /// <summary>Patches of a picture's side.</summary>
    public int ImageGrid => ImageSize / Vision.PatchSize;

    /// <summary>Rows that a picture takes in the prompt.</summary>
    public int TokensPerImage => ImageGrid * ImageGrid;

    /// <summary>Columns of the projector's input: the encoder's width, or four of them side by side in the 4khd model.</summary>
    public int ProjectorInputSize => Variant == ModelVariant.HighResolution7B ? 4 * Vision.Width : Vision.Width;

    /// <summary>Rejects sizes that no kernel supports.</summary>
    /// <param name="file">Path of config.json, for messages.</param>
    /// <exception cref="CheckpointException">A size is unsupported.</exception>
    public void RequireSupportedSizes(string file)
    {
        RequireHead("num_attention_heads", Decoder.HiddenSize, Decoder.Attention.HeadSize);
        RequireHead("vision_config.num_attention_heads", Vision.Width, Vision.HeadSize);
        if (Vision.PatchSize > MaximumPatchSize)
            throw new CheckpointException(file, "vision_config.patch_size", $"1 to {MaximumPatchSize}", $"{Vision.PatchSize}");

        void RequireHead(string field, int width, int headSize)
        {
            if (headSize < HeadSizeStep || headSize > MaximumHeadSize || headSize % HeadSizeStep != 0)
                throw new CheckpointException(file, field, $"heads of {HeadSizeStep} to {MaximumHeadSize} columns, a multiple of {HeadSizeStep}", $"{headSize} (a width of {width} in {width / headSize} heads)");
        }
    }

    /// <exception cref="CheckpointException">The picture branch of this model is not written yet.</exception>
    public void RequireSupportedImages(string file)
    {
        if (Variant == ModelVariant.HighResolution7B)
            throw new CheckpointException(file, "variant", "a model that takes one square picture at a time (vl-7b, 7b, vl-1_8b)", "4khd, whose tiled pictures are not supported yet");
    }
}

/// <summary>A list of token IDs with value equality.</summary>
public readonly struct TokenIds(params ReadOnlySpan<int> ids) : IReadOnlyList<int>, IEquatable<TokenIds>
{
    private readonly ImmutableArray<int> ids = [.. ids];

    public int Count => ids.IsDefault ? 0 : ids.Length;

    public int this[int index] => ids[index];

    public IEnumerator<int> GetEnumerator() => (ids.IsDefault ? [] : (IEnumerable<int>)ids).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(TokenIds other) => this.SequenceEqual(other);

    public override bool Equals(object? obj) => obj is TokenIds other && Equals(other);

    public override int GetHashCode() => this.Aggregate(0, HashCode.Combine);

    public static bool operator ==(TokenIds left, TokenIds right) => left.Equals(right);

    public static bool operator !=(TokenIds left, TokenIds right) => !left.Equals(right);
}

/// <summary>Which published model a checkpoint is, by its sizes. <see cref="Other"/> runs like the rest.</summary>
public enum ModelVariant : byte
{
    /// <summary>Sizes of none of the published models (the demo, test models, derivatives).</summary>
    Other,

    /// <summary>internlm-xcomposer2-vl-7b.</summary>
    VisionLanguage7B,

    /// <summary>internlm-xcomposer2-7b, for composition: the 7B with pictures of 224 pixels.</summary>
    Composition7B,

    /// <summary>internlm-xcomposer2-vl-1_8b.</summary>
    VisionLanguage1B8,

    /// <summary>internlm-xcomposer2-4khd-7b: pictures in tiles.</summary>
    HighResolution7B,
}

/// <summary>Sizes and constants of the language model.</summary>
public sealed record DecoderConfig
{
    public required int VocabularySize { get; init; }

    public required int HiddenSize { get; init; }

    public required int IntermediateSize { get; init; }

    public required int LayerCount { get; init; }

    public required AttentionGeometry Attention { get; init; }

    public required DecoderPlora Plora { get; init; }

    /// <summary>Of RMSNorm.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;

    public float RopeTheta { get; init; } = 1_000_000f;

    /// <summary>Positions that the rotary base was trained for; the original changes the base only beyond them.</summary>
    public int MaximumPositions { get; init; } = 32768;
}

/// <summary>Partial LoRA of one linear.</summary>
/// <param name="Rank">Rows of A. 0: the linear has none.</param>
/// <param name="Scale">alpha / rank.</param>
public readonly record struct PloraConfig(int Rank, float Scale);

/// <summary>Partial LoRA of the five linears of every decoder layer.</summary>
public sealed record DecoderPlora(PloraConfig Wqkv, PloraConfig Wo, PloraConfig W1, PloraConfig W3, PloraConfig W2)
{
    /// <summary>The same rank and scale everywhere.</summary>
    public static DecoderPlora Uniform(int rank, float scale)
    {
        PloraConfig one = new(rank, scale);
        return new DecoderPlora(one, one, one, one, one);
    }
}

/// <summary>Sizes and constants of the picture encoder, a CLIP vision transformer.</summary>
public sealed record VisionConfig
{
    public required int Width { get; init; }

    public required int IntermediateSize { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    /// <summary>Pixels of a patch's side.</summary>
    public required int PatchSize { get; init; }

    /// <summary>Side of the stored position table in patches; resized where the pictures have another.</summary>
    public required int StoredGrid { get; init; }

    /// <summary>Of LayerNorm.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;

    public int HeadSize => Width / HeadCount;
}
