using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>All sizes and constants of a model, decided from its tensors, its config.json and the published defaults, in this order.</summary>
public sealed record ModelConfig
{
    public required DecoderConfig Decoder { get; init; }

    public required VisionConfig Vision { get; init; }

    /// <summary>Side of a picture in pixels, after the resize.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Tokens of prompt and answer together that the model was made for: max_length, but never beyond
    /// <see cref="DecoderConfig.MaximumPositions"/>, where the original would change the rotary base.</summary>
    public int ContextLength { get; init; } = 4096;

    public int BosTokenId { get; init; } = 1;

    public int EosTokenId { get; init; } = 2;

    public int PadTokenId { get; init; } = 2;

    /// <summary>torch_dtype; null where config.json does not say.</summary>
    public DType? StoredType { get; init; } = DType.BF16;

    public ModelVariant Variant { get; init; }

    /// <summary>Patches of a picture's side.</summary>
    public int ImageGrid => ImageSize / Vision.PatchSize;

    /// <summary>Rows that a picture takes in the prompt.</summary>
    public int TokensPerImage => ImageGrid * ImageGrid;

    /// <summary>Columns of the projector's input: the encoder's width, or four of them side by side in the 4khd model.</summary>
    public int ProjectorInputSize => Variant == ModelVariant.HighResolution7B ? 4 * Vision.Width : Vision.Width;

    /// <exception cref="CheckpointException">The picture branch of this model is not written yet.</exception>
    public void RequireSupportedImages(string file)
    {
        if (Variant == ModelVariant.HighResolution7B)
            throw new CheckpointException(file, "variant", "a model that takes one square picture at a time (vl-7b, 7b, vl-1_8b)", "4khd, whose tiled pictures are not supported yet");
    }
}
