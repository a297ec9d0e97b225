using XComposer2.Native.Kernels;
using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>What a model asks of the GPU's kernels.</summary>
public static class ModelKernels
{
    /// <summary>The sizes that kernels are specialised to.</summary>
    /// <param name="config">The model.</param>
    public static KernelSizes SizesOf(ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        DecoderConfig decoder = config.Decoder;
        VisionConfig vision = config.Vision;
        return new KernelSizes
        {
            VocabularySize = decoder.VocabularySize,
            HiddenSize = decoder.HiddenSize,
            IntermediateSize = decoder.IntermediateSize,
            Attention = decoder.Attention,
            LoraRank = decoder.Plora.Wqkv.Rank,
            ImageSize = config.ImageSize,
            PatchSize = vision.PatchSize,
            VisionWidth = vision.Width,
            VisionIntermediateSize = vision.IntermediateSize,
            VisionHeads = vision.HeadCount,
            ProjectorInputSize = config.ProjectorInputSize,
        };
    }
}
