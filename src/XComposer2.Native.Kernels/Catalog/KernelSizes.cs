using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The sizes of a model that kernels are specialised to.</summary>
public sealed record KernelSizes
{
    public required int VocabularySize { get; init; }

    /// <summary>Width of the decoder's residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Of the decoder's feed-forward layers.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Heads of the decoder.</summary>
    public required AttentionGeometry Attention { get; init; }

    /// <summary>Rank of Partial LoRA; 0: there is none.</summary>
    public required int LoraRank { get; init; }

    /// <summary>Pixels of a picture's side.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Pixels of a patch's side.</summary>
    public required int PatchSize { get; init; }

    /// <summary>Width of the picture encoder.</summary>
    public required int VisionWidth { get; init; }

    /// <summary>Of the encoder's feed-forward layers.</summary>
    public required int VisionIntermediateSize { get; init; }

    /// <summary>Heads of the encoder.</summary>
    public required int VisionHeads { get; init; }

    /// <summary>Columns of the projector's input.</summary>
    public required int ProjectorInputSize { get; init; }
}
