using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Verification;

/// <summary>Every decoder layer, the logits of every position, and the greedy answer of each prompt of a golden file.</summary>
internal sealed class PromptVerification : IDisposable
{
    private readonly LoadedModel model;
    private readonly GoldenFile golden;
    private readonly StageLog log;
    private readonly PreparedPicture[] images;
    private readonly PictureRows pictures;
    private readonly ModelRunner runner;

    public PromptVerification(LoadedModel model, GoldenFile golden, StageLog log, float[] embeds)
    {
        this.model = model;
        this.golden = golden;
        this.log = log;
        int imageLength = embeds.Length / golden.Images;
        images = new PreparedPicture[golden.Images];
        for (int i = 0; i < images.Length; i++)
            images[i] = new PreparedPicture(new ImageContentHash(0, 0, 0, (ulong)i), model.Config.TokensPerImage, []);
        pictures = new PictureRows(model.Backend, images.Length, images.Length, model.Config.TokensPerImage, model.Config.Decoder.HiddenSize);
        runner = new ModelRunner(model.Config, model.Weights, model.Backend, EngineSizes.ForOne(model.Config, model.Config.ContextLength));
        for (int i = 0; i < images.Length; i++)
        {
            ReadOnlySpan<float> rows = embeds.AsSpan(i * imageLength, imageLength);
            pictures.Memory.Write(pictures.Add(images[i].Hash), rows);
            runner.SetRows(images[i], rows);
        }
    }

    public static ReadOnlySpan<string> Prompts => new[] { "text", "one_image", "two_images" };

    public void Run(string prompt, CancellationToken cancellation)
    {
        PromptPosition[] positions = Positions(prompt);
        RunLayers(prompt, positions, cancellation);
        RunAnswer(prompt, positions, cancellation);
    }

    public void Dispose()
    {
        runner.Dispose();
        pictures.Dispose();
    }

    private PromptPosition[] Positions(string prompt)
    {
        ReadOnlySpan<int> ids = golden.Ids("text_ids");
        (int a, int b, _) = golden.TextSplit();
        var positions = new List<PromptPosition>();
        Text(ids[..a]);
        if (prompt != "text")
            Image(0);
        Text(ids.Slice(a, b));
        if (prompt == "two_images")
            Image(1);
        Text(ids[(a + b)..]);
        return [.. positions];

        void Text(ReadOnlySpan<int> part)
        {
            foreach (int id in part)
                positions.Add(PromptPosition.Text(id));
        }

        void Image(int index)
        {
            for (int row = 0; row < model.Config.TokensPerImage; row++)
                positions.Add(PromptPosition.Visual(images[index], row));
        }
    }

    private void RunLayers(string prompt, PromptPosition[] positions, CancellationToken cancellation)
    {
        DecoderConfig decoder = model.Config.Decoder;
        int count = positions.Length;
        ComputeGraph graph = new ModelGraphs(model.Config, WeightFacts.Of(model.Weights, model.Config), count).Prefill[^1].BuildWithStages(new RowCounts(count, count, 0));
        using IKeyValueMemory memory = model.Backend.AllocatePages(ModelRunner.CacheLayout(model.Config, model.Backend.CacheFormat), (int)KeyValuePages.Count(count));
        using var sequence = new KeyValueSequence(new KeyValuePool(memory));
        using IBoundGraph bound = model.Backend.Bind(model.Backend.Plan(graph), model.Weights, memory, pictures.Memory);
        ModelRunner.WritePositions(bound, pictures, positions);
        Span<int> logitRows = bound.Integers(bound.Graph.Find(DecoderNetwork.LogitRows));
        for (int i = 0; i < count; i++)
            logitRows[i] = i;
        sequence.Reserve(count);
        bound.Run(new RowCounts(count, count, 0), [new SequenceRows(sequence, 0, count)], cancellation);

        log.Compare($"{prompt}: embeddings", golden.Floats($"{prompt}.inputs_embeds", count, decoder.HiddenSize), bound.Output(bound.Graph.Find(DecoderNetwork.HiddenState(0))));
        ReadOnlySpan<float> hidden = golden.Floats($"{prompt}.hidden", decoder.LayerCount + 1, count, decoder.HiddenSize);
        int layerLength = count * decoder.HiddenSize;
        for (int layer = 1; layer < decoder.LayerCount; layer++)
            log.Compare($"{prompt}: layer {layer}", hidden.Slice(layer * layerLength, layerLength), bound.Output(bound.Graph.Find(DecoderNetwork.HiddenState(layer))));
        log.Compare($"{prompt}: layer {decoder.LayerCount} and norm", hidden[(decoder.LayerCount * layerLength)..], bound.Output(bound.Graph.Find(DecoderNetwork.Normed)));
        log.Compare($"{prompt}: logits", golden.Floats($"{prompt}.logits", count, decoder.VocabularySize), bound.Output(bound.Graph.Find(DecoderNetwork.Logits)));
    }

    private void RunAnswer(string prompt, PromptPosition[] positions, CancellationToken cancellation)
    {
        ReadOnlySpan<int> expected = golden.Ids($"{prompt}.greedy_ids");
        int vocabulary = model.Config.Decoder.VocabularySize;
        var found = new int[expected.Length];
        var leads = new double[expected.Length];
        var stepLogits = new float[expected.Length * vocabulary];
        ReadOnlySpan<float> goldenSteps = golden.Floats($"{prompt}.step_logits", expected.Length, vocabulary);
        ReadOnlySpan<float> goldenLogits = golden.Floats($"{prompt}.logits", positions.Length, vocabulary)[^vocabulary..];
        using var sequence = new KeyValueSequence(runner.Pool);
        runner.Prefill(sequence, positions, cancellation);
        for (int step = 0; step < expected.Length; step++)
        {
            found[step] = IndexOfLargest(runner.Logits);
            leads[step] = RelativeLead(step == 0 ? goldenLogits : goldenSteps.Slice((step - 1) * vocabulary, vocabulary), expected[step], found[step]);
            runner.Decode(sequence, expected[step], cancellation);
            runner.Logits.CopyTo(stepLogits.AsSpan(step * vocabulary));
        }

        log.Compare($"{prompt}: logits of decode steps", goldenSteps, stepLogits);
        log.Compare($"{prompt}: greedy ids", expected, found, leads);
    }

    private static double RelativeLead(ReadOnlySpan<float> logits, int expected, int found)
    {
        double squares = 0;
        foreach (float logit in logits)
            squares += (double)logit * logit;
        return (logits[expected] - logits[found]) / Math.Sqrt(squares / logits.Length);
    }

    /// <summary>The greedy choice: of equal logits the first.</summary>
    internal static int IndexOfLargest(ReadOnlySpan<float> logits)
    {
        int largest = 0;
        for (int id = 1; id < logits.Length; id++)
            if (logits[id] > logits[largest])
                largest = id;
        return largest;
    }
}
