using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.GpuTests;

/// <summary>The demo's decode graph for up to 64 sequences, which all go on from one prompt at different lengths. Owns all of it.</summary>
internal sealed class DecodeBatch : IDisposable
{
    private const int MostSequences = 64, PromptTokens = 70;

    private readonly IBackend backend;
    private readonly Checkpoint checkpoint;
    private readonly PreparedWeights weights;
    private readonly IKeyValueMemory memory;
    private readonly IRowMemory pictures;
    private readonly ITokenSampler sampler;
    private readonly KeyValueSequence prompt;
    private readonly int vocabulary;

    public DecodeBatch(IBackend backend, StepLimits? limits = null, int pages = 160)
    {
        this.backend = backend;
        checkpoint = CheckpointFolder.Open(RepositoryPaths.Find("tools/demo/checkpoint"));
        ModelConfig config = checkpoint.Config;
        weights = new PreparedWeights(checkpoint, config);
        WeightFacts facts = WeightFacts.Of(weights, config);
        vocabulary = config.Decoder.VocabularySize;
        memory = backend.AllocatePages(ModelRunner.CacheLayout(config, backend.CacheFormat), pages);
        pictures = backend.AllocateRows(1, config.Decoder.HiddenSize);
        sampler = backend.CreateSampler(vocabulary, MostSequences);
        prompt = new KeyValueSequence(new KeyValuePool(memory));
        Decode = backend.Bind(backend.Plan(DecoderNetwork.BuildDecode(config.Decoder, facts, MostSequences)), weights, memory, limits: limits);
        using IBoundGraph prefill = backend.Bind(backend.Plan(DecoderNetwork.BuildPrefill(config.Decoder, facts, PromptTokens, logits: 1)), weights, memory, pictures, limits);
        Span<int> ids = prefill.Integers(prefill.Graph.Find(DecoderNetwork.Ids));
        for (int i = 0; i < PromptTokens; i++)
            ids[i] = 300 + (i * 37 % 900);
        prefill.Integers(prefill.Graph.Find(DecoderNetwork.VisualRow)).Fill(-1);
        prompt.Reserve(PromptTokens);
        prefill.Run(new RowCounts(PromptTokens, 0, 0), [new SequenceRows(prompt, 0, PromptTokens)], CancellationToken.None);
        prompt.Advance(PromptTokens);
    }

    public IBoundGraph Decode { get; }

    /// <summary>A sequence of its own length over the same prompt, with room for a token.</summary>
    public KeyValueSequence Fork(int sequence)
    {
        KeyValueSequence fork = prompt.Fork();
        fork.Truncate(PromptTokens - (sequence * 11 % 64));
        fork.Reserve(1);
        return fork;
    }

    /// <summary>Ids of each sequence, the first of them given, and logits of each step; ids go from choice to step on the backend. Slots are in another order than rows.</summary>
    public (int[] Ids, float[][] Logits)[] Generate(int[] sequences, int steps, CancellationToken cancellation)
    {
        Tensor idsInput = Decode.Graph.Find(DecoderNetwork.Ids), logits = Decode.Graph.Find(DecoderNetwork.Logits);
        KeyValueSequence[] forks = [.. sequences.Select(Fork)];
        int[] slots = [.. sequences.Select(sequence => (sequence * 5) % MostSequences)];
        (int[] Ids, float[][] Logits)[] results = [.. sequences.Select(_ => (new int[steps], new float[steps][]))];
        for (int row = 0; row < sequences.Length; row++)
        {
            Decode.Integers(idsInput)[row] = 400 + sequences[row];
            sampler.Begin(slots[row], new SamplingRequest { Parameters = new SamplingParameters(sequences[row] % 3 == 0, 1.5f, 40, 0.95f, 1.1f), Seed = (ulong)sequences[row] });
        }

        for (int step = 0; step < steps; step++)
        {
            for (int row = 0; row < forks.Length && step > 0; row++)
            {
                forks[row].Reserve(1);
                Decode.Feed(idsInput, row, sampler, slots[row]);
            }

            Decode.Run(new RowCounts(forks.Length, 0, 0), [.. forks.Select((fork, row) => new SequenceRows(fork, row, 1))], cancellation);
            float[] all = Decode.Output(logits).ToArray();
            sampler.Choose(Decode, logits, [.. slots.Select((slot, row) => new SampleRow(row, slot))]);
            ReadOnlySpan<TokenChoice> chosen = sampler.Take();
            for (int row = 0; row < forks.Length; row++)
            {
                results[row].Ids[step] = chosen[row].Id;
                results[row].Logits[step] = all[(row * vocabulary)..((row + 1) * vocabulary)];
                forks[row].Advance(1);
            }
        }

        foreach (KeyValueSequence fork in forks)
            fork.Dispose();
        return results;
    }

    /// <summary>Device memory in use, without the pages themselves.</summary>
    public long BytesBesidePages(GpuDevice device)
    {
        (long free, long total) = device.Context.ReadMemory();
        return total - free - ((CudaKeyValueMemory)memory).MappedBytes;
    }

    public void Dispose()
    {
        prompt.Dispose();
        Decode.Dispose();
        sampler.Dispose();
        pictures.Dispose();
        memory.Dispose();
        backend.Dispose();
        weights.Dispose();
    }
}
