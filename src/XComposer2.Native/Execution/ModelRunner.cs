using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>The model's steps on a backend: pictures to rows, prompts and tokens to logits. Not thread-safe.</summary>
internal sealed class ModelRunner : IDisposable
{
    private readonly ModelConfig config;
    private readonly IWeightSource weights;
    private readonly ModelGraphs graphs;
    private readonly IBackend backend;
    private readonly IKeyValueMemory memory;
    private readonly Dictionary<ModelGraph, IBoundGraph> bound = [];
    private IBoundGraph? lastStep;

    /// <param name="config">Sizes.</param>
    /// <param name="weights">Not owned; must outlive this.</param>
    /// <param name="backend">Not owned; must outlive this.</param>
    /// <param name="contextLength">Longest sequence in tokens; the cache has room for one such.</param>
    /// <param name="prefillStepTokens">Tokens of one prefill step at most.</param>
    public ModelRunner(ModelConfig config, IWeightSource weights, IBackend backend, int contextLength, int prefillStepTokens = ModelGraphs.PrefillStepTokens)
    {
        this.config = config;
        this.weights = weights;
        this.backend = backend;
        graphs = new ModelGraphs(config, WeightFacts.Of(weights, config), contextLength, prefillStepTokens);
        memory = backend.AllocatePages(CacheLayout(config, backend.CacheType), CachePages(contextLength));
        Pool = new KeyValuePool(memory);
    }

    public KeyValuePool Pool { get; }

    /// <summary>Pages of the cache: one sequence of full length, and one page more to copy a shared one.</summary>
    public static int CachePages(int contextLength) => checked((int)KeyValuePages.Count(contextLength) + 1);

    /// <param name="config">Sizes.</param>
    /// <param name="type">The backend's.</param>
    public static KeyValueLayout CacheLayout(ModelConfig config, DType type) => new(config.Decoder.LayerCount, config.Decoder.Attention, type);

    /// <summary>Logits after the last position of the last step [vocabulary]; valid until the next step, and the caller's to overwrite.</summary>
    public Span<float> Logits => LastStep.Output(LastStep.Graph.Find(DecoderNetwork.Logits));

    private IBoundGraph LastStep => lastStep ?? throw new InvalidOperationException("no step has run");

    /// <summary>Binds every graph now: what it takes to bind them, a device's memory above all, is known before the first question, and no prompt waits for a
    /// kernel to be compiled.</summary>
    public void Prepare()
    {
        // The largest first, so that the arena grows once.
        foreach (ModelGraph graph in graphs.All.OrderByDescending(graph => graph.Capacity.Tokens))
            Bound(graph);
        CreateSampler(new SamplingParameters(Greedy: true, Temperature: 1, TopK: 0, TopP: 1, RepetitionPenalty: 1), seed: 0).Dispose();
    }

    /// <summary>Runs the vision tower and the projector on one picture.</summary>
    /// <param name="pixels">[3, S, S], normalised.</param>
    /// <param name="cancellation">Looked at between operations.</param>
    /// <returns>[tokens per image, hidden].</returns>
    public float[] EncodeImage(ReadOnlySpan<float> pixels, CancellationToken cancellation)
    {
        IBoundGraph vision = Bound(graphs.Vision);
        pixels.CopyTo(vision.Floats(vision.Graph.Find(VisionNetwork.Pixels)));
        vision.Run(new RowCounts(0, 0, 1), [], cancellation);
        return vision.Output(vision.Graph.Find(VisionNetwork.ImageEmbeds)).ToArray();
    }

    /// <summary>Appends positions to a sequence, in as many steps as it takes, and makes <see cref="Logits"/>.</summary>
    /// <exception cref="KeyValueCacheFullException">Nothing has changed.</exception>
    /// <exception cref="OperationCanceledException">The sequence ends after some whole step.</exception>
    public void Prefill(KeyValueSequence sequence, ReadOnlySpan<PromptPosition> positions, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfZero(positions.Length);
        sequence.Reserve(positions.Length);
        while (!positions.IsEmpty)
        {
            int count = Math.Min(positions.Length, graphs.MaximumPrefillTokens);
            PrefillStep(sequence, positions[..count], isLast: count == positions.Length, cancellation);
            sequence.Advance(count);
            positions = positions[count..];
        }
    }

    /// <summary>Appends one generated token, and makes <see cref="Logits"/>.</summary>
    public void Decode(KeyValueSequence sequence, int id, CancellationToken cancellation)
    {
        IBoundGraph decode = Bound(graphs.DecodeFor(1));
        sequence.Reserve(1);
        decode.Integers(decode.Graph.Find(DecoderNetwork.Ids))[0] = id;
        decode.Run(new RowCounts(1, 0, 0), [new SequenceRows(sequence, 0, 1)], cancellation);
        lastStep = decode;
        sequence.Advance(1);
    }

    /// <summary>
    /// Runs the token that a sampler chose last as the next position of a sequence, and makes <see cref="Logits"/>. The sequence does not grow: whoever
    /// knows by then that the token belongs to it counts it (<see cref="KeyValueSequence.Advance"/>); else the next step takes its place.
    /// </summary>
    /// <exception cref="KeyValueCacheFullException">Nothing has changed.</exception>
    public void Step(KeyValueSequence sequence, ITokenSampler sampler, CancellationToken cancellation)
    {
        IBoundGraph decode = Bound(graphs.DecodeFor(1));
        sequence.Reserve(1);
        decode.Feed(decode.Graph.Find(DecoderNetwork.Ids), 0, sampler);
        decode.Run(new RowCounts(1, 0, 0), [new SequenceRows(sequence, 0, 1)], cancellation);
        lastStep = decode;
    }

    /// <inheritdoc cref="IBackend.RunsAhead"/>
    public bool RunsAhead => backend.RunsAhead;

    /// <summary>A sampler for one answer.</summary>
    public ITokenSampler CreateSampler(SamplingParameters parameters, ulong seed) => backend.CreateSampler(parameters, config.Decoder.VocabularySize, seed);

    /// <summary>Chooses an id from the logits of the last step.</summary>
    /// <exception cref="InvalidOperationException">The logits are not numbers.</exception>
    public void Choose(ITokenSampler sampler) => sampler.Choose(LastStep, LastStep.Graph.Find(DecoderNetwork.Logits));

    public void Dispose()
    {
        foreach (IBoundGraph graph in bound.Values)
            graph.Dispose();
        memory.Dispose();
    }

    private IBoundGraph Bound(ModelGraph graph)
    {
        if (!bound.TryGetValue(graph, out IBoundGraph? found))
            bound.Add(graph, found = backend.Bind(backend.Plan(graph.Build()), weights, graph == graphs.Vision ? null : memory));
        return found;
    }

    private void PrefillStep(KeyValueSequence sequence, ReadOnlySpan<PromptPosition> positions, bool isLast, CancellationToken cancellation)
    {
        IBoundGraph graph = Bound(graphs.PrefillFor(positions.Length));
        WritePositions(graph, positions, config.Decoder.HiddenSize);
        graph.Integers(graph.Graph.Find(DecoderNetwork.LogitRows))[0] = positions.Length - 1;
        graph.Run(new RowCounts(positions.Length, isLast ? 1 : 0, 0), [new SequenceRows(sequence, 0, positions.Length)], cancellation);
        lastStep = graph;
    }

    /// <summary>Fills the inputs of a prefill graph; visual rows are packed in the order in which they come.</summary>
    internal static void WritePositions(IBoundGraph graph, ReadOnlySpan<PromptPosition> positions, int hidden)
    {
        Span<int> ids = graph.Integers(graph.Graph.Find(DecoderNetwork.Ids));
        Span<int> visualRow = graph.Integers(graph.Graph.Find(DecoderNetwork.VisualRow));
        Span<float> visual = graph.Floats(graph.Graph.Find(DecoderNetwork.Visual));
        int visualRows = 0;
        for (int i = 0; i < positions.Length; i++)
        {
            ref readonly PromptPosition position = ref positions[i];
            ids[i] = position.Id;
            visualRow[i] = position.Image is null ? -1 : visualRows;
            if (position.Image is { } image)
                image.Rows.AsSpan(position.Row * hidden, hidden).CopyTo(visual.Slice(visualRows++ * hidden, hidden));
        }
    }
}
