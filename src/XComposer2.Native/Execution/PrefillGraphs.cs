using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>Prefill graphs by shape bucket, each built, planned and bound when first needed.</summary>
internal sealed class PrefillGraphs(DecoderConfig config, WeightFacts facts, IWeightSource weights, IBackend backend, IKeyValueMemory pages, int maximumTokens) : IDisposable
{
    private readonly ShapeBuckets buckets = new(maximumTokens);
    private readonly Dictionary<int, IBoundGraph> graphs = [];

    /// <summary>Tokens of one step at most.</summary>
    public int MaximumTokens => buckets.Maximum;

    public IBoundGraph For(int tokens)
    {
        int bucket = buckets.RoundUp(tokens);
        if (!graphs.TryGetValue(bucket, out IBoundGraph? graph))
        {
            ComputeGraph built = DecoderNetwork.BuildPrefill(config, facts, bucket, logits: 1);
            graphs.Add(bucket, graph = backend.Bind(backend.Plan(built), weights, pages));
        }

        return graph;
    }

    public void Dispose()
    {
        foreach (IBoundGraph graph in graphs.Values)
            graph.Dispose();
    }
}
