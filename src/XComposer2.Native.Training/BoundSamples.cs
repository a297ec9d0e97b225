using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Training;

/// <summary>A training graph bound for samples of together up to some size: fills the inputs, runs, reads the losses. Owns the bound graph.</summary>
internal sealed class BoundSamples : IDisposable
{
    private readonly TrainingGraph training;
    private readonly SampleInputs inputs;
    private readonly IBoundGraph graph;

    /// <param name="backend">Binds.</param>
    /// <param name="training">The graph.</param>
    /// <param name="rowsPerPicture">Positions of a picture.</param>
    /// <param name="weights">Frozen and trained ones.</param>
    /// <param name="parameters">The trained ones.</param>
    public BoundSamples(ITrainingBackend backend, TrainingGraph training, int rowsPerPicture, IWeightSource weights, IParameterMemory parameters)
    {
        this.training = training;
        graph = backend.BindTraining(backend.Plan(training.Graph), weights, parameters);
        inputs = new SampleInputs(training.Graph, training.Targets!.Value, training.Starts!.Value, rowsPerPicture);
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
        inputs.Fill(graph, samples);
        Span<float> factors = graph.Floats(training.OutputGradient);
        foreach (PreparedSample sample in samples)
        {
            int learnt = sample.Counts.Logits;
            factors[..learnt].Fill((float)(factor / learnt));
            factors = factors[learnt..];
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
}
