using System.Globalization;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>The model's steps on a backend: pictures to rows, prompts and tokens to logits, logits to choices. Not thread-safe.</summary>
internal sealed class ModelRunner : IStepRunner, IDisposable
{
    private readonly ModelConfig config;
    private readonly IWeightSource weights;
    private readonly ModelGraphs graphs;
    private readonly IBackend backend;
    private readonly EngineSizes sizes;
    private readonly IKeyValueMemory memory;
    private readonly PictureRows pictures;
    private readonly Dictionary<ModelGraph, IBoundGraph> bound = [];
    private readonly SequenceRows[] stepRows;
    private readonly SampleRow[] sampleRows;
    private ITokenSampler sampler;
    private IBoundGraph? lastStep;

    /// <param name="config">Sizes.</param>
    /// <param name="weights">Not owned; must outlive this.</param>
    /// <param name="backend">Not owned; must outlive this.</param>
    /// <param name="sizes">Most of everything.</param>
    public ModelRunner(ModelConfig config, IWeightSource weights, IBackend backend, EngineSizes sizes)
    {
        this.config = config;
        this.weights = weights;
        this.backend = backend;
        this.sizes = sizes;
        graphs = new ModelGraphs(config, WeightFacts.Of(weights, config), sizes.ContextLength, sizes.StepTokens, sizes.Sequences);
        memory = backend.AllocatePages(CacheLayout(config, backend.CacheFormat), sizes.CachePages);
        Pool = new KeyValuePool(memory);
        pictures = new PictureRows(backend, sizes.Pictures, sizes.KeptPictures, config.TokensPerImage, config.Decoder.HiddenSize);
        sampler = backend.CreateSampler(config.Decoder.VocabularySize, sizes.Sequences);
        stepRows = new SequenceRows[sizes.Sequences];
        sampleRows = new SampleRow[sizes.Sequences];
    }

    public KeyValuePool Pool { get; }

    public int PagesPerSequence => sizes.PagesPerSequence;

    public bool RunsAhead => backend.RunsAhead;

    /// <summary>Logits after the last position of the last step [rows of it, vocabulary]; valid until the next step, and the caller's to overwrite.</summary>
    public Span<float> Logits => LastStep.Output(LastStep.Graph.Find(DecoderNetwork.Logits));

    private IBoundGraph LastStep => lastStep ?? throw new InvalidOperationException("no step has run");

    /// <param name="config">Sizes.</param>
    /// <param name="format">The backend's.</param>
    public static KeyValueLayout CacheLayout(ModelConfig config, CacheFormat format) => new(config.Decoder.LayerCount, config.Decoder.Attention, format);

    /// <summary>The cache of a prompt of full length.</summary>
    public static MemoryItem CacheMemory(KeyValueLayout layout, EngineSizes sizes) =>
        MemoryItem.KeyValueCache(layout.Geometry, layout.Layers, (long)sizes.FirstPages * KeyValuePages.TokensPerPage, layout.Format);

    /// <summary>What long sequences add with use.</summary>
    public static IReadOnlyList<MemoryItem> Growth(ModelConfig config, KeyValueLayout layout, EngineSizes sizes) =>
        sizes.CachePages == sizes.FirstPages ? [] :
        [
            new MemoryItem(
                string.Create(CultureInfo.InvariantCulture, $"KV cache, up to {(long)sizes.CachePages * KeyValuePages.TokensPerPage} tokens"),
                (sizes.CachePages - sizes.FirstPages) * layout.PageBytes),
            new MemoryItem(
                string.Create(CultureInfo.InvariantCulture, $"rows of up to {sizes.Pictures} pictures"),
                (long)(sizes.Pictures - sizes.KeptPictures) * config.TokensPerImage * config.Decoder.HiddenSize * sizeof(float)),
        ];

    /// <summary>Rows of pictures that the decoder reads.</summary>
    public static MemoryItem PictureMemory(ModelConfig config, EngineSizes sizes) =>
        new($"rows of {sizes.KeptPictures} pictures", (long)sizes.KeptPictures * config.TokensPerImage * config.Decoder.HiddenSize * sizeof(float));

    /// <summary>Binds every graph now: what it takes to bind them, a device's memory above all, is known before the first question, and no prompt waits for a
    /// kernel to be compiled.</summary>
    public void Prepare()
    {
        // The largest first, so that the arena grows once.
        foreach (ModelGraph graph in graphs.All.OrderByDescending(graph => graph.Capacity.Tokens))
            Bound(graph);
    }

    /// <summary>Binds graphs that together read every weight, so that weights which a backend keeps in its own order are in it before the first question.</summary>
    public void PrepareWeights()
    {
        Bound(graphs.Prefill[0]);
        Bound(graphs.Vision);
    }

    public void Begin(int slot, in SamplingRequest request) => sampler.Begin(slot, request);

    public bool HasRows(PreparedPicture picture) => pictures.Contains(picture.Hash);

    public void Encode(PreparedPicture picture, CancellationToken cancellation)
    {
        int row = pictures.Add(picture.Hash);
        try
        {
            IBoundGraph vision = Ready(graphs.Vision);
            picture.Pixels.CopyTo(vision.Floats(vision.Graph.Find(VisionNetwork.Pixels)));
            vision.Run(new RowCounts(0, 0, 1), [], cancellation);
            pictures.Memory.CopyFrom(vision, vision.Graph.Find(VisionNetwork.ImageEmbeds), row);
        }
        catch
        {
            pictures.Forget(picture.Hash);
            throw;
        }
    }

    public void Pin(PreparedPicture picture) => pictures.Pin(picture.Hash);

    public void Unpin(PreparedPicture picture) => pictures.Unpin(picture.Hash);

    /// <summary>A picture's rows [tokens per image, hidden]; encodes it where it has none.</summary>
    public float[] RowsOf(PreparedPicture picture, CancellationToken cancellation)
    {
        if (!HasRows(picture))
            Encode(picture, cancellation);
        return pictures.Memory.Read(pictures.FirstRowOf(picture.Hash), picture.TokenCount);
    }

    /// <summary>Takes a picture's rows as they are.</summary>
    public void SetRows(PreparedPicture picture, ReadOnlySpan<float> rows) =>
        pictures.Memory.Write(HasRows(picture) ? pictures.FirstRowOf(picture.Hash) : pictures.Add(picture.Hash), rows);

    public void Read(KeyValueSequence sequence, ReadOnlySpan<PromptPosition> positions, RowChoice? choice, CancellationToken cancellation)
    {
        IBoundGraph graph = Ready(graphs.PrefillFor(positions.Length));
        WritePositions(graph, pictures, positions);
        graph.Integers(graph.Graph.Find(DecoderNetwork.LogitRows))[0] = positions.Length - 1;
        graph.Run(new RowCounts(positions.Length, choice is null ? 0 : 1, 0), [new SequenceRows(sequence, 0, positions.Length)], cancellation);
        lastStep = graph;
        if (choice is { } wanted && (wanted.Slot >= 0 || wanted.Ranking is not null))
            sampler.Choose(graph, graph.Graph.Find(DecoderNetwork.Logits), [new SampleRow(0, wanted.Slot, wanted.Ranking)]);
    }

    public void Step(ReadOnlySpan<StepRow> rows, CancellationToken cancellation)
    {
        IBoundGraph graph = Ready(graphs.DecodeFor(rows.Length));
        Tensor ids = graph.Graph.Find(DecoderNetwork.Ids);
        for (int row = 0; row < rows.Length; row++)
        {
            (KeyValueSequence sequence, RowChoice choice, int? id) = rows[row];
            if (id is { } known)
                graph.Integers(ids)[row] = known;
            else
                graph.Feed(ids, row, sampler, choice.Slot);
            stepRows[row] = new SequenceRows(sequence, row, 1);
            sampleRows[row] = new SampleRow(row, choice.Slot, choice.Ranking);
        }

        graph.Run(new RowCounts(rows.Length, 0, 0), stepRows.AsSpan(0, rows.Length), cancellation);
        lastStep = graph;
        sampler.Choose(graph, graph.Graph.Find(DecoderNetwork.Logits), sampleRows.AsSpan(0, rows.Length));
    }

    public ReadOnlySpan<TokenChoice> Take() => sampler.Take();

    public void DropChoices()
    {
        sampler.Dispose();
        sampler = backend.CreateSampler(config.Decoder.VocabularySize, sizes.Sequences);
    }

    /// <summary>Appends positions to a sequence, in as many steps as it takes, and makes <see cref="Logits"/>. For a client that has no scheduler.</summary>
    /// <exception cref="KeyValueCacheFullException">Nothing has changed.</exception>
    /// <exception cref="OperationCanceledException">The sequence ends after some whole step.</exception>
    public void Prefill(KeyValueSequence sequence, ReadOnlySpan<PromptPosition> positions, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfZero(positions.Length);
        foreach (ref readonly PromptPosition position in positions)
            if (position is { Row: 0, Picture: { } picture } && !HasRows(picture))
                Encode(picture, cancellation);
        sequence.Reserve(positions.Length);
        while (!positions.IsEmpty)
        {
            int count = Math.Min(positions.Length, sizes.StepTokens);
            Read(sequence, positions[..count], count == positions.Length ? new RowChoice(-1) : null, cancellation);
            sequence.Advance(count);
            positions = positions[count..];
        }
    }

    /// <summary>Appends one token, and makes <see cref="Logits"/>. For a client that has no scheduler.</summary>
    public void Decode(KeyValueSequence sequence, int id, CancellationToken cancellation)
    {
        IBoundGraph graph = Ready(graphs.DecodeFor(1));
        sequence.Reserve(1);
        graph.Integers(graph.Graph.Find(DecoderNetwork.Ids))[0] = id;
        graph.Run(new RowCounts(1, 0, 0), [new SequenceRows(sequence, 0, 1)], cancellation);
        lastStep = graph;
        sequence.Advance(1);
    }

    public void Dispose()
    {
        sampler.Dispose();
        foreach (IBoundGraph graph in bound.Values)
            graph.Dispose();
        pictures.Dispose();
        memory.Dispose();
    }

    /// <summary>Fills the inputs of a prefill graph.</summary>
    /// <exception cref="InvalidOperationException">A picture has no rows.</exception>
    internal static void WritePositions(IBoundGraph graph, PictureRows pictures, ReadOnlySpan<PromptPosition> positions)
    {
        Span<int> ids = graph.Integers(graph.Graph.Find(DecoderNetwork.Ids));
        Span<int> visualRow = graph.Integers(graph.Graph.Find(DecoderNetwork.VisualRow));
        PreparedPicture? last = null;
        int firstRow = -1;
        for (int i = 0; i < positions.Length; i++)
        {
            ref readonly PromptPosition position = ref positions[i];
            ids[i] = position.Id;
            visualRow[i] = -1;
            if (position.Picture is not { } picture)
                continue;
            if (!ReferenceEquals(picture, last))
                firstRow = pictures.FirstRowOf(picture.Hash);
            if (firstRow < 0)
                throw new InvalidOperationException("a picture of the prompt has no rows");
            last = picture;
            visualRow[i] = firstRow + position.Row;
        }
    }

    /// <summary>A bound graph, about to run.</summary>
    /// <exception cref="XComposerException">A file of weights that the run reads was truncated.</exception>
    private IBoundGraph Ready(ModelGraph graph)
    {
        if (backend.ReadsWeightsInPlace)
            weights.RequireIntact();
        return Bound(graph);
    }

    private IBoundGraph Bound(ModelGraph graph)
    {
        if (!bound.TryGetValue(graph, out IBoundGraph? found))
        {
            ExecutionPlan plan = backend.Plan(graph.Build());
            found = graph == graphs.Vision
                ? backend.Bind(plan, weights)
                : backend.Bind(plan, weights, memory, pictures.Memory, plan.Graph.HasOneRowPerSequence ? sizes.Steps : StepLimits.For(1, sizes.ContextLength));
            bound.Add(graph, found);
        }

        return found;
    }
}
