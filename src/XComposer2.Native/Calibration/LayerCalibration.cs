using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Calibration;

/// <summary>
/// Runs calibration samples through a model on the processor, one decoder layer at a time: what is kept from layer to layer is the residual stream of all samples. Rows of text together count as much
/// as rows of pictures together, which are many more.
/// </summary>
public sealed class LayerCalibration : ILayerCalibration
{
    private const int MostTokens = 16384, MostSampleTokens = 4096;

    private readonly LoadedModel model;
    private readonly WeightFacts facts;
    private readonly List<Sample> samples = [];
    private readonly float textShare, visualShare;
    private int nextLayer;

    private LayerCalibration(LoadedModel model, CalibrationSet set, CancellationToken cancellation)
    {
        this.model = model;
        facts = WeightFacts.Of(model.Weights, model.Config);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        List<PromptPosition[]> prompts = [.. Prompts(set, hash, cancellation)];
        int tokens = prompts.Sum(prompt => prompt.Length), visual = prompts.Sum(prompt => prompt.Count(position => position.Picture is not null));
        EngineException.ThrowUnless(tokens <= MostTokens, "calibration", $"at most {MostTokens} tokens", tokens);
        (textShare, visualShare) = (Share(tokens - visual, visual > 0), Share(visual, tokens > visual));
        samples.AddRange(Embed(prompts, cancellation));
        int pictures = prompts.Sum(prompt => prompt.Count(position => position is { Picture: not null, Row: 0 }));
        Description = string.Create(CultureInfo.InvariantCulture, $"{prompts.Count} samples and {pictures} pictures, {tokens} tokens ({Convert.ToHexStringLower(hash.GetHashAndReset())[..8]})");
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <summary>Opens a checkpoint and reads the samples.</summary>
    /// <param name="path">The checkpoint that is to be quantised.</param>
    /// <param name="set">Samples.</param>
    /// <param name="threads">CPU threads; null for one per processor.</param>
    /// <param name="cancellation">Looked at between operations.</param>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The samples have too many tokens.</exception>
    /// <exception cref="ImageException">A picture is damaged, too large, or not a picture.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static LayerCalibration Open(string path, CalibrationSet set, int? threads = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(set);
        LoadedModel model = LoadedModel.Open(path, new DeviceOptions { Kind = DeviceKind.Cpu, Threads = threads, Activations = ActivationPrecision.Float });
        try
        {
            return new LayerCalibration(model, set, cancellation);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The layer was asked for before, or there is none.</exception>
    public LayerInputs InputsOf(int layer, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(layer, nextLayer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, model.Config.Decoder.LayerCount);
        while (nextLayer < layer)
            RunLayer(nextLayer++, null, cancellation);
        var inputs = new LayerInputs(model.Config.Decoder, samples.Sum(sample => sample.VisualRow.Length));
        try
        {
            RunLayer(nextLayer++, inputs, cancellation);
            return inputs;
        }
        catch
        {
            inputs.Dispose();
            throw;
        }
    }

    /// <summary>Closes the checkpoint.</summary>
    public void Dispose() => model.Dispose();

    private static float Share(int rows, bool isHalf) => rows == 0 ? 0 : MathF.Sqrt((isHalf ? 0.5f : 1f) / rows);

    private IEnumerable<PromptPosition[]> Prompts(CalibrationSet set, IncrementalHash hash, CancellationToken cancellation)
    {
        ModelConfig config = model.Config;
        TextTokenizer tokenizer = TextTokenizer.Load(model.Checkpoint.Directory, config.Decoder.VocabularySize);
        var template = new ChatTemplate(tokenizer, PromptStyle.Train, config.EosTokenIds);
        using var preparer = new PicturePreparer(config);
        foreach (UserMessage sample in set.Samples)
            yield return Prompt(sample.Text, [.. sample.Images.Select(image => preparer.PrepareAsync(image, cancellation).GetAwaiter().GetResult().Picture)]);
        for (int i = 0; i < set.DrawnPictures.Count; i++)
            yield return Prompt(set.DrawnPictures[i], [DrawnPictures.Of(config, i)]);

        PromptPosition[] Prompt(string text, PreparedPicture[] pictures)
        {
            PromptPosition[] positions = [.. new Conversation(template.Render(null, [new ChatTurn(text, pictures.Length, null)]), pictures, []).Positions()];
            EngineException.ThrowUnless(positions.Length <= Math.Min(MostSampleTokens, config.Decoder.MaximumPositions), "calibration", $"samples of at most {Math.Min(MostSampleTokens, config.Decoder.MaximumPositions)} tokens", positions.Length);
            hash.AppendData(MemoryMarshal.AsBytes<int>(positions.Select(position => position.Id).ToArray()));
            foreach (PreparedPicture picture in pictures)
                hash.AppendData(MemoryMarshal.AsBytes<float>(picture.Pixels));
            return positions;
        }
    }

    // The table's rows, and those of the vision tower.
    private IEnumerable<Sample> Embed(List<PromptPosition[]> prompts, CancellationToken cancellation)
    {
        int hidden = model.Config.Decoder.HiddenSize;
        using IBoundGraph vision = model.Backend.Bind(model.Backend.Plan(new ModelGraphs(model.Config, facts, model.Config.TokensPerImage + 1).Vision.Build()), model.Weights);
        if (!model.Weights.TryGet(CheckpointFolder.EmbeddingName, out HostTensor table))
            throw new CheckpointException(model.Checkpoint.Directory, $"tensor {CheckpointFolder.EmbeddingName}", "a table of embeddings", "no such tensor");
        foreach (PromptPosition[] prompt in prompts)
        {
            var stream = new float[prompt.Length * hidden];
            for (int i = 0; i < prompt.Length; i++)
            {
                if (prompt[i].Picture is null)
                    HostTensorValues.ReadRow(table, prompt[i].Id, stream.AsSpan(i * hidden, hidden));
                else if (prompt[i].Row == 0)
                    Encode(vision, prompt[i].Picture!, cancellation).CopyTo(stream.AsSpan(i * hidden));
            }

            yield return new Sample(stream, [.. prompt.Select(position => position.Picture is null ? -1 : position.Row)]);
        }

        model.Weights.Release(CheckpointFolder.EmbeddingName);
    }

    private static Span<float> Encode(IBoundGraph vision, PreparedPicture picture, CancellationToken cancellation)
    {
        picture.Pixels.CopyTo(vision.Floats(vision.Graph.Find(VisionNetwork.Pixels)));
        vision.Run(new RowCounts(0, 0, 1), [], cancellation);
        return vision.Output(vision.Graph.Find(VisionNetwork.ImageEmbeds));
    }

    private void RunLayer(int layer, LayerInputs? inputs, CancellationToken cancellation)
    {
        DecoderConfig decoder = model.Config.Decoder;
        int capacity = samples.Max(sample => sample.VisualRow.Length), pages = (int)KeyValuePages.Count(capacity);
        LayerGraph graph = DecoderNetwork.BuildLayer(decoder, facts, layer, capacity);
        using IKeyValueMemory memory = model.Backend.AllocatePages(new KeyValueLayout(1, decoder.Attention, model.Backend.CacheFormat), pages);
        var pool = new KeyValuePool(memory);
        using IBoundGraph bound = model.Backend.Bind(model.Backend.Plan(graph.Graph), model.Weights, memory, null, StepLimits.For(1, capacity));
        int first = 0;
        foreach (Sample sample in samples)
        {
            int tokens = sample.VisualRow.Length;
            using var sequence = new KeyValueSequence(pool);
            sequence.Reserve(tokens);
            sample.Stream.CopyTo(bound.Floats(graph.Stream));
            sample.VisualRow.CopyTo(bound.Integers(graph.VisualRow));
            bound.Run(new RowCounts(tokens, 0, 0), [new SequenceRows(sequence, 0, tokens)], cancellation);
            bound.Output(graph.Output).CopyTo(sample.Stream);
            if (inputs is not null)
                Keep(sample, bound, graph, inputs, first);
            first += tokens;
        }

        foreach (TensorSpec weight in graph.Graph.Tensors.Where(tensor => tensor.Role == TensorRole.Weight))
            model.Weights.Release(weight.Name);
    }

    private void Keep(Sample sample, IBoundGraph bound, LayerGraph graph, LayerInputs inputs, int first)
    {
        for (int kind = 0; kind < graph.Inputs.Count; kind++)
        {
            InputRows rows = inputs[(LinearInput)kind];
            Span<float> values = bound.Output(graph.Inputs[kind]);
            for (int i = 0; i < sample.VisualRow.Length; i++)
                rows.Set(first + i, values.Slice(i * rows.Columns, rows.Columns), sample.VisualRow[i] < 0 ? textShare : visualShare);
        }
    }

    /// <summary>The residual stream of a sample [tokens, hidden], and which of its rows are visual.</summary>
    private sealed record Sample(float[] Stream, int[] VisualRow);
}
