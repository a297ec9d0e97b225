using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>The model's steps on a backend: pictures to rows, prompts and tokens to logits. Not thread-safe.</summary>
internal sealed class ModelRunner : IDisposable
{
    /// <summary>Tokens of one prefill step at most: enough for a picture and its question in one piece, little enough that
    /// intermediate results of a 7B stay below half a gigabyte.</summary>
    public const int PrefillStepTokens = 2048;

    private readonly ModelConfig config;
    private readonly IWeightSource weights;
    private readonly WeightFacts facts;
    private readonly IBackend backend;
    private readonly IKeyValueMemory memory;
    private readonly PrefillGraphs prefill;
    private IBoundGraph? vision;
    private IBoundGraph? decode;

    /// <param name="config">Sizes.</param>
    /// <param name="weights">Not owned; must outlive this.</param>
    /// <param name="backend">Not owned; must outlive this.</param>
    /// <param name="contextLength">Longest sequence in tokens; the cache has room for one such.</param>
    /// <param name="prefillStepTokens">Tokens of one prefill step at most.</param>
    public ModelRunner(ModelConfig config, IWeightSource weights, IBackend backend, int contextLength, int prefillStepTokens = PrefillStepTokens)
    {
        this.config = config;
        this.weights = weights;
        this.backend = backend;
        facts = WeightFacts.Of(weights, config);
        memory = backend.AllocatePages(CacheLayout(config), CachePages(contextLength));
        Pool = new KeyValuePool(memory);
        prefill = new PrefillGraphs(config.Decoder, facts, weights, backend, memory, Math.Min(contextLength, prefillStepTokens));
    }

    public KeyValuePool Pool { get; }

    /// <summary>Pages of the cache: one sequence of full length, and one page more to copy a shared one.</summary>
    public static int CachePages(int contextLength) => checked((int)KeyValuePages.Count(contextLength) + 1);

    /// <summary>Keys and values are kept in F32: they are a small part of what a step reads, and the published weights' results are reproduced best.</summary>
    public static KeyValueLayout CacheLayout(ModelConfig config) => new(config.Decoder.LayerCount, config.Decoder.Attention, DType.F32);

    /// <summary>Runs the vision tower and the projector on one picture.</summary>
    /// <param name="pixels">[3, S, S], normalised.</param>
    /// <param name="cancellation">Looked at between operations.</param>
    /// <returns>[tokens per image, hidden].</returns>
    public float[] EncodeImage(ReadOnlySpan<float> pixels, CancellationToken cancellation)
    {
        vision ??= backend.Bind(backend.Plan(VisionNetwork.Build(config, facts, images: 1)), weights);
        pixels.CopyTo(vision.Floats(vision.Graph.Find(VisionNetwork.Pixels)));
        vision.Run(new RowCounts(0, 0, 1), [], cancellation);
        return vision.Output(vision.Graph.Find(VisionNetwork.ImageEmbeds)).ToArray();
    }

    /// <summary>Appends positions to a sequence, in as many steps as it takes.</summary>
    /// <returns>Logits after the last position [vocabulary]; valid until the next step, and the caller's to overwrite.</returns>
    /// <exception cref="KeyValueCacheFullException">Nothing has changed.</exception>
    /// <exception cref="OperationCanceledException">The sequence ends after some whole step.</exception>
    public Span<float> Prefill(KeyValueSequence sequence, ReadOnlySpan<PromptPosition> positions, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfZero(positions.Length);
        sequence.Reserve(positions.Length);
        Span<float> logits = [];
        while (!positions.IsEmpty)
        {
            int count = Math.Min(positions.Length, prefill.MaximumTokens);
            logits = PrefillStep(sequence, positions[..count], isLast: count == positions.Length, cancellation);
            sequence.Advance(count);
            positions = positions[count..];
        }

        return logits;
    }

    /// <summary>Appends one generated token.</summary>
    /// <returns>As <see cref="Prefill"/>.</returns>
    public Span<float> Decode(KeyValueSequence sequence, int id, CancellationToken cancellation)
    {
        decode ??= backend.Bind(backend.Plan(DecoderNetwork.BuildDecode(config.Decoder, facts, sequences: 1)), weights, memory);
        sequence.Reserve(1);
        decode.Integers(decode.Graph.Find(DecoderNetwork.Ids))[0] = id;
        decode.Run(new RowCounts(1, 0, 0), [new SequenceRows(sequence, 0, 1)], cancellation);
        sequence.Advance(1);
        return decode.Output(decode.Graph.Find(DecoderNetwork.Logits));
    }

    public void Dispose()
    {
        vision?.Dispose();
        decode?.Dispose();
        prefill.Dispose();
        memory.Dispose();
    }

    private Span<float> PrefillStep(KeyValueSequence sequence, ReadOnlySpan<PromptPosition> positions, bool isLast, CancellationToken cancellation)
    {
        IBoundGraph graph = prefill.For(positions.Length);
        WritePositions(graph, positions, config.Decoder.HiddenSize);
        graph.Integers(graph.Graph.Find(DecoderNetwork.LogitRows))[0] = positions.Length - 1;
        graph.Run(new RowCounts(positions.Length, isLast ? 1 : 0, 0), [new SequenceRows(sequence, 0, positions.Length)], cancellation);
        return graph.Output(graph.Graph.Find(DecoderNetwork.Logits));
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
