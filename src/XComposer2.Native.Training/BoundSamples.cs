using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Training;

/// <summary>A training graph bound for samples of together up to some size: fills the inputs, runs, reads the losses. Owns the bound graph.</summary>
internal sealed class BoundSamples : IDisposable
{
    private readonly TrainingGraph training;
    private readonly int rowsPerPicture;
    private readonly IBoundGraph graph;
    private readonly Tensor ids;
    private readonly Tensor visualRow;
    private readonly Tensor logitRows;
    private readonly Tensor pixels;

    /// <param name="backend">Binds.</param>
    /// <param name="training">The graph.</param>
    /// <param name="rowsPerPicture">Positions of a picture.</param>
    /// <param name="weights">Frozen and trained ones.</param>
    /// <param name="parameters">The trained ones.</param>
    public BoundSamples(ITrainingBackend backend, TrainingGraph training, int rowsPerPicture, IWeightSource weights, IParameterMemory parameters)
    {
        this.training = training;
        this.rowsPerPicture = rowsPerPicture;
        graph = backend.BindTraining(backend.Plan(training.Graph), weights, parameters);
        ids = training.Graph.Find(DecoderNetwork.Ids);
        visualRow = training.Graph.Find(DecoderNetwork.VisualRow);
        logitRows = training.Graph.Find(DecoderNetwork.LogitRows);
        pixels = training.Graph.Find(VisionNetwork.Pixels);
    }

    /// <summary>The sizes it is planned for.</summary>
    public RowCounts Capacity => training.Graph.Capacity;

    /// <summary>Adds the gradients of factor x the sum of the samples' mean losses.</summary>
    /// <param name="samples">Of together at most <see cref="Capacity"/>.</param>
    /// <param name="counts">Their sum.</param>
    /// <param name="factor">Of each loss.</param>
    /// <param name="seed">Of what is dropped.</param>
    /// <param name="losses">Receives the mean loss of each sample.</param>
    /// <param name="cancellation">Looked at between operations.</param>
    public void Run(ReadOnlySpan<PreparedSample> samples, RowCounts counts, double factor, int seed, Span<double> losses, CancellationToken cancellation)
    {
        var filled = new RowCounts(0, 0, 0);
        foreach (PreparedSample sample in samples)
        {
            Fill(sample, filled, factor);
            filled += sample.Counts;
        }

        if (training.DropoutSeed is { } dropout)
            graph.Integers(dropout)[0] = seed;
        graph.Run(counts, [], cancellation);
        ReadOnlySpan<float> found = graph.Output(training.Output);
        for (int i = 0, first = 0; i < samples.Length; i++)
        {
            int learnt = samples[i].Counts.Logits;
            double sum = 0;
            foreach (float loss in found.Slice(first, learnt))
                sum += loss;
            losses[i] = sum / learnt;
            first += learnt;
        }
    }

    public void Dispose() => graph.Dispose();

    // The sample's rows follow those of the samples before it.
    private void Fill(PreparedSample sample, RowCounts before, double factor)
    {
        IReadOnlyList<int> text = sample.Text.Ids, labels = sample.Text.Labels;
        Span<int> tokens = graph.Integers(ids)[before.Tokens..], starts = graph.Integers(training.Starts!.Value)[before.Tokens..], rows = graph.Integers(visualRow)[before.Tokens..];
        Span<int> chosen = graph.Integers(logitRows)[before.Logits..], targets = graph.Integers(training.Targets!.Value)[before.Logits..];
        (int row, int learnt) = (before.Images * rowsPerPicture, 0);
        starts[..text.Count].Fill(before.Tokens);
        for (int i = 0; i < text.Count; i++)
        {
            bool isPicture = text[i] == TrainingText.Ignored;
            tokens[i] = isPicture ? 0 : text[i];
            rows[i] = isPicture ? row++ : -1;

            // What stands at a position is learnt from the one before it.
            if (i > 0 && labels[i] != TrainingText.Ignored)
                (chosen[learnt], targets[learnt++]) = (before.Tokens + i - 1, labels[i]);
        }

        if (sample.Pictures > 0)
            sample.Pixels.Span.CopyTo(graph.Floats(pixels)[(before.Images * (sample.Pixels.Length / sample.Pictures))..]);
        graph.Floats(training.OutputGradient).Slice(before.Logits, learnt).Fill((float)(factor / learnt));
    }
}
