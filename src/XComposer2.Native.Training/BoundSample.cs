using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Training;

/// <summary>A training graph bound for samples of up to some size: fills the inputs, runs, reads the losses. Owns the bound graph.</summary>
internal sealed class BoundSample : IDisposable
{
    private readonly TrainingGraph training;
    private readonly IBoundGraph graph;
    private readonly Tensor ids;
    private readonly Tensor visualRow;
    private readonly Tensor logitRows;
    private readonly Tensor pixels;

    public BoundSample(ITrainingBackend backend, TrainingGraph training, IWeightSource weights, IParameterMemory parameters)
    {
        this.training = training;
        graph = backend.BindTraining(backend.Plan(training.Graph), weights, parameters);
        ids = training.Graph.Find(DecoderNetwork.Ids);
        visualRow = training.Graph.Find(DecoderNetwork.VisualRow);
        logitRows = training.Graph.Find(DecoderNetwork.LogitRows);
        pixels = training.Graph.Find(VisionNetwork.Pixels);
    }

    /// <summary>Adds the gradients of factor x mean loss.</summary>
    /// <param name="sample">Of at most the graph's size.</param>
    /// <param name="factor">Of the loss.</param>
    /// <param name="seed">Of what is dropped.</param>
    /// <param name="cancellation">Looked at between operations.</param>
    /// <returns>The mean loss.</returns>
    public double Run(PreparedSample sample, double factor, int seed, CancellationToken cancellation)
    {
        IReadOnlyList<int> text = sample.Text.Ids, labels = sample.Text.Labels;
        Span<int> tokens = graph.Integers(ids), rows = graph.Integers(visualRow), chosen = graph.Integers(logitRows), targets = graph.Integers(training.Targets!.Value);
        (int row, int learnt) = (0, 0);
        for (int i = 0; i < text.Count; i++)
        {
            bool isPicture = text[i] == TrainingText.Ignored;
            tokens[i] = isPicture ? 0 : text[i];
            rows[i] = isPicture ? row++ : -1;

            // What stands at a position is learnt from the one before it.
            if (i > 0 && labels[i] != TrainingText.Ignored)
                (chosen[learnt], targets[learnt++]) = (i - 1, labels[i]);
        }

        sample.Pixels.Span.CopyTo(graph.Floats(pixels));
        if (training.DropoutSeed is { } dropout)
            graph.Integers(dropout)[0] = seed;
        graph.Floats(training.OutputGradient)[..learnt].Fill((float)(factor / learnt));
        graph.Run(sample.Counts, [], cancellation);
        double sum = 0;
        foreach (float loss in graph.Output(training.Output))
            sum += loss;
        return sum / learnt;
    }

    public void Dispose() => graph.Dispose();
}
