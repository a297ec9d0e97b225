using System.Collections.Immutable;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>The whole model as one graph that is trained: pictures, vision tower, projector, decoder, losses, and back again. It is made of the same networks that answer
/// questions; a sample without pictures runs it with none.</summary>
public static class TrainingNetwork
{
    /// <summary>Builds the graph for one sample at a time.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">Types: trained weights are F32, others as stored.</param>
    /// <param name="capacity">Longest text, most learnt tokens, most pictures; each at least 1.</param>
    /// <param name="parts">What is trained.</param>
    /// <exception cref="GraphException">As of <see cref="TrainingGraph.Build"/>.</exception>
    /// <exception cref="CheckpointException">The model's pictures are of a kind that the vision network has not.</exception>
    public static TrainingGraph Build(ModelConfig config, WeightFacts weights, RowCounts capacity, TrainedParts parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        return TrainingGraph.Build(Network(config, weights, capacity), Options(config, parts));
    }

    /// <summary>Builds the forward pass alone, which scores samples.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">Types.</param>
    /// <param name="capacity">As of <see cref="Build"/>.</param>
    /// <param name="parts">The adapters.</param>
    /// <exception cref="CheckpointException">The model's pictures are of a kind that the vision network has not.</exception>
    public static ScoringGraph BuildScoring(ModelConfig config, WeightFacts weights, RowCounts capacity, TrainedParts parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        return ScoringGraph.Build(Network(config, weights, capacity), Options(config, parts));
    }

    /// <summary>Builds the vision tower alone, all of it trained, with a head that says what each patch shows: how a tower without any knowledge begins.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">Types: the tower's weights are F32.</param>
    /// <param name="pictures">Capacity.</param>
    /// <param name="head">Name of the head's weight [classes, width] F32, which is trained, too.</param>
    /// <param name="classes">What a patch may show.</param>
    /// <returns>The loss has a row for each patch of each picture, <see cref="TrainingGraph.Targets"/> as many classes.</returns>
    /// <exception cref="CheckpointException">The model's pictures are of a kind that the vision network has not.</exception>
    public static TrainingGraph BuildPatchClassifier(ModelConfig config, WeightFacts weights, int pictures, string head, int classes)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        config.RequireSupportedImages("config.json");
        var builder = new GraphBuilder("patches", new RowCounts(0, 0, pictures));
        Tensor features = VisionNetwork.Features(builder, config, weights);
        builder.MarkOutput(builder.Linear(features, builder.Weight(head, DType.F32, new Shape(classes, config.Vision.Width)), name: DecoderNetwork.Logits));
        return TrainingGraph.Build(builder.Build(), new TrainingGraphOptions { Output = DecoderNetwork.Logits, HasTokenLoss = true, IsTrained = static _ => true });
    }

    /// <summary>Layers that can be recomputed: the decoder's, which keep most, then the vision tower's.</summary>
    public static ImmutableArray<GraphLayer> LayersOf(ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return
        [
            .. Enumerable.Range(0, config.Decoder.LayerCount).Select(layer => new GraphLayer(DecoderNetwork.HiddenState(layer), DecoderNetwork.HiddenState(layer + 1))),
            .. Enumerable.Range(0, config.Vision.LayerCount).Select(layer => new GraphLayer(VisionNetwork.HiddenState(layer), VisionNetwork.HiddenState(layer + 1))),
        ];
    }

    private static ComputeGraph Network(ModelConfig config, WeightFacts weights, RowCounts capacity)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        config.RequireSupportedImages("config.json");
        var builder = new GraphBuilder("model", capacity);
        DecoderNetwork.Prompt(builder, config.Decoder, weights, (to, _) => VisionNetwork.Rows(to, config, weights, keepStages: false), keepStages: false, selectsEarly: true);
        return builder.Build();
    }

    private static TrainingGraphOptions Options(ModelConfig config, TrainedParts parts) => new()
    {
        Output = DecoderNetwork.Logits,
        HasTokenLoss = true,
        IsTrained = parts.IsTrained,
        AdapterOf = parts.AdapterOf,
        Layers = LayersOf(config),
        RecomputedLayers = parts.RecomputedLayers,
    };
}

/// <summary>What of a model is trained.</summary>
public sealed record TrainedParts
{
    /// <summary>Whether a weight of this name is trained; adapters are asked for, too.</summary>
    public required Func<string, bool> IsTrained { get; init; }

    /// <summary>The adapter of a linear's weight; null for none.</summary>
    public Func<string, LowRankAdapter?> AdapterOf { get; init; } = static _ => null;

    /// <summary>So many of <see cref="TrainingNetwork.LayersOf"/> keep nothing for the backward pass, which computes them again.</summary>
    public int RecomputedLayers { get; init; }
}
