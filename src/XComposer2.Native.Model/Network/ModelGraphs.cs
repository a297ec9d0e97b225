using System.Collections.Immutable;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Every graph that runs a model, once: what the runner binds, memory plans count, kernels are compiled and timed for, and verification compares is taken
/// from this list. The networks build for it alone: their methods are not public.</summary>
public sealed class ModelGraphs
{
    /// <summary>Tokens of one prefill step at most: enough for a picture and its question in one piece, little enough that
    /// intermediate results of a 7B stay below half a gigabyte.</summary>
    public const int PrefillStepTokens = 2048;

    private readonly ShapeBuckets buckets;

    /// <param name="config">Sizes.</param>
    /// <param name="weights">Types.</param>
    /// <param name="contextLength">Longest sequence in tokens.</param>
    /// <param name="prefillStepTokens">Tokens of one prefill step at most.</param>
    /// <param name="decodeSequences">Capacities of decode graphs, ascending; none for one sequence alone.</param>
    public ModelGraphs(ModelConfig config, WeightFacts weights, int contextLength, int prefillStepTokens = PrefillStepTokens, params ReadOnlySpan<int> decodeSequences)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        buckets = new ShapeBuckets(Math.Min(contextLength, prefillStepTokens));
        Vision = new ModelGraph(new RowCounts(0, 0, 1), (capacity, keepStages) => VisionNetwork.Build(config, weights, capacity.Images, keepStages));
        Prefill =
        [
            .. buckets.Sizes.Select(tokens => new ModelGraph(
                new RowCounts(tokens, 1, 0),
                (capacity, keepStages) => DecoderNetwork.BuildPrefill(config.Decoder, weights, capacity.Tokens, capacity.Logits, keepStages))),
        ];
        int[] sequences = decodeSequences.IsEmpty ? [1] : decodeSequences.ToArray();
        Decode = [.. sequences.Select(count => new ModelGraph(new RowCounts(count, 0, 0), (capacity, _) => DecoderNetwork.BuildDecode(config.Decoder, weights, capacity.Tokens)))];
    }

    /// <summary>One picture.</summary>
    public ModelGraph Vision { get; }

    /// <summary>Prompts, a graph for each shape bucket, ascending.</summary>
    public ImmutableArray<ModelGraph> Prefill { get; }

    /// <summary>Generated tokens, a graph for each number of sequences, ascending.</summary>
    public ImmutableArray<ModelGraph> Decode { get; }

    /// <summary>All of them.</summary>
    public IEnumerable<ModelGraph> All => [Vision, .. Prefill, .. Decode];

    /// <summary>The largest of each kind, which need the largest arenas: vision, prefill, decode.</summary>
    public IEnumerable<ModelGraph> Largest => [Vision, Prefill[^1], Decode[^1]];

    /// <summary>Tokens of one prefill step at most.</summary>
    public int MaximumPrefillTokens => buckets.Maximum;

    /// <summary>The smallest prefill graph that holds so many tokens.</summary>
    /// <exception cref="ArgumentOutOfRangeException">None does.</exception>
    public ModelGraph PrefillFor(int tokens) => Prefill[buckets.Sizes.IndexOf(buckets.RoundUp(tokens))];

    /// <summary>The smallest decode graph that holds so many sequences.</summary>
    /// <exception cref="ArgumentOutOfRangeException">None does.</exception>
    public ModelGraph DecodeFor(int sequences)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences, 1);
        // Asked for at each token, so without anything that allocates.
        foreach (ModelGraph graph in Decode)
            if (graph.Capacity.Tokens >= sequences)
                return graph;
        throw new ArgumentOutOfRangeException(nameof(sequences), sequences, $"expected 1 to {Decode[^1].Capacity.Tokens} sequences");
    }
}

/// <summary>A graph of <see cref="ModelGraphs"/>: its capacity, and how it is built.</summary>
public sealed class ModelGraph
{
    private readonly Func<RowCounts, bool, ComputeGraph> build;

    internal ModelGraph(RowCounts capacity, Func<RowCounts, bool, ComputeGraph> build)
    {
        Capacity = capacity;
        this.build = build;
    }

    public RowCounts Capacity { get; }

    /// <summary>Builds the graph anew.</summary>
    public ComputeGraph Build() => build(Capacity, false);

    /// <summary>Builds the same graph for another capacity, each stage an output where the graph has stages: for verification.</summary>
    public ComputeGraph BuildWithStages(RowCounts capacity) => build(capacity, true);
}
