using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.GpuTests;

/// <summary>Three sequences of the demo on one backend, below the engine. Owns all of it.</summary>
internal sealed class Batch : IDisposable
{
    private const int Sequences = 3, PromptTokens = 70;

    private readonly IBackend backend;
    private readonly Checkpoint checkpoint;
    private readonly PreparedWeights weights;
    private readonly IKeyValueMemory memory;
    private readonly PictureRows pictures;
    private readonly IBoundGraph decode;
    private readonly KeyValueSequence[] sequences;
    private readonly Dictionary<ITokenSampler, int> places = [];

    public Batch(IBackend backend, string folder)
    {
        this.backend = backend;
        checkpoint = CheckpointFolder.Open(folder);
        ModelConfig config = checkpoint.Config;
        weights = new PreparedWeights(checkpoint, config);
        WeightFacts facts = WeightFacts.Of(weights, config);
        memory = backend.AllocatePages(ModelRunner.CacheLayout(config, backend.CacheFormat), 12);
        pictures = new PictureRows(backend, 1, 1, config.TokensPerImage, config.Decoder.HiddenSize);
        var pool = new KeyValuePool(memory);
        sequences = [.. Enumerable.Range(0, Sequences).Select(_ => new KeyValueSequence(pool))];
        Prompt = backend.Bind(backend.Plan(DecoderNetwork.BuildPrefill(config.Decoder, facts, PromptTokens, logits: 1)), weights, memory, pictures.Memory);
        decode = backend.Bind(backend.Plan(DecoderNetwork.BuildDecode(config.Decoder, facts, Sequences)), weights, memory);
    }

    /// <summary>The graph of prompts.</summary>
    public IBoundGraph Prompt { get; }

    public Tensor PromptLogits => Prompt.Graph.Find(DecoderNetwork.Logits);

    /// <summary>Nothing is queued on the device any more.</summary>
    public bool IsIdle => ((CudaBackend)backend).IsIdle;

    /// <summary>The ids of each sequence: different prompts, ways to sample and seeds; the second one ends after five tokens, the others after twelve.</summary>
    /// <param name="isAhead">Ids are read when the next step is queued; else before.</param>
    /// <param name="cancellation">Looked at between operations.</param>
    public int[][] Generate(bool isAhead, CancellationToken cancellation)
    {
        SamplingParameters[] ways =
        [
            new(Greedy: true, 1, 0, 1, 1.3f), new(Greedy: false, 2, 40, 0.95f, 1), new(Greedy: false, 1.5f, 0, 0.9f, 1.1f),
        ];
        ITokenSampler[] samplers = [.. ways.Select((way, index) => Prefill(index, way, (ulong)index + 7, cancellation))];
        List<int>[] ids = [.. samplers.Select(_ => new List<int>())];
        ITokenSampler[] running = samplers;
        int[] lengths = [12, 5, 12];
        for (int token = 1; running.Length > 0; token++)
        {
            if (isAhead)
                Step(running, cancellation);
            foreach (ITokenSampler sampler in running)
                ids[Array.IndexOf(samplers, sampler)].Add(sampler.Take()[0].Id);
            if (!isAhead)
                Step(running, cancellation);
            // Those that end here have a step under way that is not kept.
            running = [.. running.Where(sampler => token < lengths[Array.IndexOf(samplers, sampler)])];
            foreach (ITokenSampler sampler in running)
                sequences[places[sampler]].Advance(1);
        }

        foreach (ITokenSampler sampler in samplers)
            sampler.Dispose();
        return [.. ids.Select(each => each.ToArray())];
    }

    /// <summary>A prompt in a sequence, and a sampler that chose its first token.</summary>
    public ITokenSampler Prefill(int sequence, SamplingParameters way, ulong seed, CancellationToken cancellation)
    {
        int tokens = PromptTokens - (5 * sequence);
        PromptPosition[] positions = [.. Enumerable.Range(0, tokens).Select(index => PromptPosition.Text(300 + (index * (37 + sequence) % 900)))];
        ModelRunner.WritePositions(Prompt, pictures, positions);
        Prompt.Integers(Prompt.Graph.Find(DecoderNetwork.LogitRows))[0] = tokens - 1;
        sequences[sequence].Reserve(tokens);
        Prompt.Run(new RowCounts(tokens, 1, 0), [new SequenceRows(sequences[sequence], 0, tokens)], cancellation);
        sequences[sequence].Advance(tokens);
        ITokenSampler sampler = backend.CreateSampler(checkpoint.Config.Decoder.VocabularySize, slots: 1);
        sampler.Begin(0, new SamplingRequest { Parameters = way, Seed = seed });
        sampler.Choose(Prompt, PromptLogits, [new SampleRow(0, 0)]);
        places.Add(sampler, sequence);
        return sampler;
    }

    /// <summary>One step of the sequences whose samplers these are, fed with what each chose last, and the next choice of each.</summary>
    public void Step(ITokenSampler[] samplers, CancellationToken cancellation)
    {
        var rows = new SequenceRows[samplers.Length];
        Tensor ids = decode.Graph.Find(DecoderNetwork.Ids), logits = decode.Graph.Find(DecoderNetwork.Logits);
        for (int row = 0; row < samplers.Length; row++)
        {
            KeyValueSequence sequence = sequences[places[samplers[row]]];
            sequence.Reserve(1);
            rows[row] = new SequenceRows(sequence, row, 1);
            decode.Feed(ids, row, samplers[row], slot: 0);
        }

        decode.Run(new RowCounts(samplers.Length, 0, 0), rows, cancellation);
        for (int row = 0; row < samplers.Length; row++)
            samplers[row].Choose(decode, logits, [new SampleRow(row, 0)]);
    }

    public void Dispose()
    {
        foreach (KeyValueSequence sequence in sequences)
            sequence.Dispose();
        Prompt.Dispose();
        decode.Dispose();
        pictures.Dispose();
        memory.Dispose();
        backend.Dispose();
        weights.Dispose();
    }
}
