using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>Position table, every vision layer and the projector, for all pictures of a golden file in one run.</summary>
internal sealed unsafe class VisionVerification(LoadedModel model, GoldenFile golden, StageLog log)
{
    /// <returns>Embeddings of all pictures [images x tokens per image, hidden].</returns>
    public float[] Run(CancellationToken cancellation)
    {
        ModelConfig config = model.Config;
        (int width, int patches, int layers) = (config.Vision.Width, config.TokensPerImage, config.Vision.LayerCount);
        int images = golden.Images;
        ReadOnlySpan<float> pixels = golden.Floats("pixel_values", images, 3, config.ImageSize, config.ImageSize);
        model.Weights.TryGet(ModelTensors.PositionTableName, out HostTensor table);
        log.Compare(
            "position table",
            golden.Floats("position_embedding_resized", patches + 1, width),
            new ReadOnlySpan<float>((void*)table.Data, checked((int)table.Shape.ElementCount)));

        ComputeGraph graph = VisionNetwork.Build(config, WeightFacts.Of(model.Weights, config), images, keepStages: true);
        using IBoundGraph bound = model.Backend.Bind(model.Backend.Plan(graph), model.Weights);
        pixels.CopyTo(bound.Floats(bound.Graph.Find(VisionNetwork.Pixels)));
        bound.Run(new RowCounts(0, 0, images), [], cancellation);

        ReadOnlySpan<float> states = golden.Floats("vit_hidden_states", layers + 1, images, patches + 1, width);
        int stateLength = images * (patches + 1) * width;
        for (int layer = 0; layer <= layers; layer++)
            log.Compare(
                layer == 0 ? "vision: input of layer 1" : $"vision: layer {layer}",
                states.Slice(layer * stateLength, stateLength),
                bound.Output(bound.Graph.Find(VisionNetwork.HiddenState(layer))));
        log.Compare("vision: features", golden.Floats("image_features", images, patches, width), bound.Output(bound.Graph.Find(VisionNetwork.ImageFeatures)));
        float[] embeds = bound.Output(bound.Graph.Find(VisionNetwork.ImageEmbeds)).ToArray();
        log.Compare("projector", golden.Floats("image_embeds", images, patches, config.Decoder.HiddenSize), embeds);
        return embeds;
    }
}
