using System.Collections.Immutable;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Training;

/// <summary>A model that is trained: gradients of samples are accumulated, then a step is made. Not thread-safe. Owns the model's files, the parameters and the bound graphs.</summary>
public sealed class Trainer : IDisposable
{
    private readonly ITrainingBackend backend;
    private readonly TrainingRecipe recipe;
    private readonly Checkpoint checkpoint;
    private readonly TrainingWeights weights;
    private readonly WeightFacts facts;
    private readonly ParameterRate[] rates;
    private readonly ParameterRate[] scaled;
    private readonly List<BoundSamples> bound = [];
    private readonly List<BoundScores> scorers = [];
    private readonly ShapeBuckets buckets;
    private readonly int seed;
    private int accumulated;

    /// <param name="directory">The model.</param>
    /// <param name="recipe">What is trained.</param>
    /// <param name="backend">Computes. Not owned.</param>
    /// <param name="seed">Of new adapters, and of dropout.</param>
    /// <param name="quantization">Frozen weights that are made integers; trained ones never are.</param>
    /// <exception cref="CheckpointException">The model cannot be read, or has weights of integers that the recipe trains or would have to write.</exception>
    /// <exception cref="ArgumentException">No quantiser makes a format.</exception>
    public Trainer(string directory, TrainingRecipe recipe, ITrainingBackend backend, int seed = 0, WeightQuantization quantization = default)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(backend);
        (this.recipe, this.backend, this.seed) = (recipe, backend, seed);
        checkpoint = CheckpointFolder.Open(directory, new CheckpointOptions());
        PreparedWeights source = Open(quantization);
        buckets = new ShapeBuckets(Config.ContextLength);
        try
        {
            List<(ParameterSpec Spec, ParameterRate Rate)> trained = [.. recipe.Parameters(Config, expected => source.TryDescribe(expected.Name, out HostTensor stored) ? stored.Shape : expected.Shape)];
            Parameters = backend.AllocateParameters([.. trained.Select(parameter => parameter.Spec)]);
            rates = [.. trained.Select(parameter => parameter.Rate)];
            scaled = new ParameterRate[rates.Length];
            weights = new TrainingWeights(source, Parameters);
            facts = WeightFacts.Of(weights, Config);
            Fill(source, new Random(seed));
        }
        catch
        {
            Parameters?.Dispose();
            source.Dispose();
            throw;
        }
    }

    public ModelConfig Config => checkpoint.Config;

    /// <summary>Frozen weights that are integers, in words; empty for none that were made so.</summary>
    public string Quantization { get; private set; } = "";

    /// <summary>Folder of the model.</summary>
    public string Directory => checkpoint.Directory;

    /// <summary>Trained weights, their gradients and the optimiser's means.</summary>
    public IParameterMemory Parameters { get; }

    /// <summary>Rate and weight decay of each parameter at the highest rate.</summary>
    public IReadOnlyList<ParameterRate> Rates => rates;

    /// <summary>Steps that were made. Setting it begins the next one anew.</summary>
    public int Steps
    {
        get;
        set
        {
            field = value;
            accumulated = 0;
        }
    }

    /// <summary>At least so many layers are recomputed in the backward pass.</summary>
    public int RecomputedLayers { get; init; }

    /// <summary>Largest arena of a sample: more layers are recomputed where the activations need more.</summary>
    public long ActivationBytes { get; init; } = long.MaxValue;

    /// <summary>The graph for samples of so many rows, with the plan that it would run with.</summary>
    public ExecutionPlan PlanFor(RowCounts capacity, int recomputedLayers) => backend.Plan(Build(capacity, recomputedLayers).Graph);

    /// <summary>Samples run together while they have at most so many positions, and at most a context's: the products of short ones are too small for a processor's caches to pay.</summary>
    public int PackedTokens { get; init; } = 1024;

    /// <summary>Adds the gradients of a sample, times <paramref name="factor"/>, to those of the parameters.</summary>
    /// <returns>The mean loss of its learnt tokens.</returns>
    /// <exception cref="GraphException">Its activations do not fit <see cref="ActivationBytes"/>.</exception>
    public double Accumulate(PreparedSample sample, double factor, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(sample);
        return Accumulate([sample], factor, cancellation)[0];
    }

    /// <summary>Adds the gradients of samples, times <paramref name="factor"/>, to those of the parameters: short ones together, in their order, none seeing another.</summary>
    /// <returns>The mean loss of the learnt tokens of each.</returns>
    /// <exception cref="GraphException">Their activations do not fit <see cref="ActivationBytes"/>.</exception>
    public double[] Accumulate(IReadOnlyList<PreparedSample> samples, double factor, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(samples);
        PreparedSample[] all = [.. samples];
        double[] losses = new double[all.Length];
        for (int first = 0, end; first < all.Length; first = end)
        {
            (end, RowCounts counts) = Pack(all, first);

            // Other elements are dropped for each pass, and the same ones when the run is resumed.
            int pass = unchecked((seed * 1_000_003) ^ (Steps << 12) ^ accumulated++);
            BoundFor(counts).Run(all.AsSpan(first..end), counts, factor, pass, losses.AsSpan(first..end), cancellation);
        }

        return losses;
    }

    /// <summary>Scores samples with the weights as they are now: a forward pass alone, without dropout. Gradients stay as they are.</summary>
    /// <returns>The score of each.</returns>
    public SampleScore[] Score(IReadOnlyList<PreparedSample> samples, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(samples);
        PreparedSample[] all = [.. samples];
        var scores = new SampleScore[all.Length];
        for (int first = 0, end; first < all.Length; first = end)
        {
            (end, RowCounts counts) = Pack(all, first);
            ScorerFor(counts).Run(all.AsSpan(first..end), counts, scores.AsSpan(first..end), cancellation);
        }

        return scores;
    }

    /// <summary>Makes a step with the accumulated gradients, clipped, and clears them.</summary>
    /// <param name="rateFactor">Share of the highest rates.</param>
    /// <returns>The norm of the gradients before they were clipped.</returns>
    public double Update(double rateFactor)
    {
        double norm = Parameters.GradientNorm();
        for (int i = 0; i < rates.Length; i++)
            scaled[i] = rates[i] with { Rate = rates[i].Rate * rateFactor };
        Parameters.Update(recipe.Optimiser, Steps + 1, Math.Min(1, recipe.ClipNorm / (norm + 1e-6)), scaled);
        Parameters.ClearGradients();
        Steps++;
        return norm;
    }

    /// <summary>Writes the trained model in the published layout, or the adapter in PEFT's.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Save(string folder)
    {
        if (recipe.Adapter is { } adapter)
            TrainedFolder.WriteAdapter(folder, Parameters, adapter, Directory);
        else
            TrainedFolder.WriteModel(folder, checkpoint, Parameters);
    }

    public void Dispose()
    {
        foreach (BoundSamples graph in bound)
            graph.Dispose();
        bound.Clear();
        foreach (BoundScores graph in scorers)
            graph.Dispose();
        scorers.Clear();
        Parameters.Dispose();
        weights.Dispose();
    }

    // Samples from the first on that run together.
    private (int End, RowCounts Counts) Pack(PreparedSample[] samples, int first)
    {
        int most = Math.Min(PackedTokens, Config.ContextLength), end = first + 1;
        RowCounts counts = samples[first].Counts;
        for (; end < samples.Length && counts.Tokens + samples[end].Counts.Tokens <= most; end++)
            counts += samples[end].Counts;
        return (end, counts);
    }

    private BoundScores ScorerFor(RowCounts counts)
    {
        RowCounts capacity = buckets.CapacityFor(counts with { Images = Math.Max(1, counts.Images) });
        if (scorers.Find(graph => capacity.Fits(graph.Capacity)) is { } known)
            return known;
        var graph = new BoundScores(backend, TrainingNetwork.BuildScoring(Config, facts, capacity, Parts(0)), Config.TokensPerImage, weights, Parameters);
        scorers.Add(graph);
        return graph;
    }

    // A graph serves all smaller counts of the same bucket of tokens; a larger one takes its place, so that there is one arena for each bucket.
    private BoundSamples BoundFor(RowCounts counts)
    {
        RowCounts capacity = buckets.CapacityFor(counts with { Images = Math.Max(1, counts.Images) });
        int known = bound.FindIndex(graph => graph.Capacity.Tokens == capacity.Tokens);
        if (known >= 0)
        {
            RowCounts before = bound[known].Capacity;
            if (capacity.Fits(before))
                return bound[known];
            bound[known].Dispose();
            bound.RemoveAt(known);
            capacity = new RowCounts(capacity.Tokens, Math.Max(capacity.Logits, before.Logits), Math.Max(capacity.Images, before.Images));
        }

        var graph = new BoundSamples(backend, Build(capacity, RecomputedLayersFor(capacity)), Config.TokensPerImage, weights, Parameters);
        bound.Add(graph);
        return graph;
    }

    private PreparedWeights Open(WeightQuantization quantization)
    {
        try
        {
            CheckpointValidator.Validate(checkpoint);
            (IWeightSource source, Quantization) = FrozenWeights.Of(checkpoint, recipe, quantization);
            return new PreparedWeights(source, Config);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    private TrainingGraph Build(RowCounts capacity, int recomputedLayers) => TrainingNetwork.Build(Config, facts, capacity, Parts(recomputedLayers));

    private TrainedParts Parts(int recomputedLayers)
    {
        HashSet<string> trained = [.. Parameters.Parameters.Select(parameter => parameter.Name)];
        return new TrainedParts
        {
            IsTrained = trained.Contains,
            AdapterOf = recipe.Adapter is { } adapter ? adapter.Of : static _ => null,
            RecomputedLayers = recomputedLayers,
        };
    }

    private int RecomputedLayersFor(RowCounts capacity)
    {
        int least = RecomputedLayers, most = TrainingNetwork.LayersOf(Config).Length;
        return least + ActivationChoice.Fit(most - least, ActivationBytes, more => PlanFor(capacity, least + more)).RecomputedLayers;
    }

    // Trained weights begin as stored; of an adapter A is uniform within 1 / sqrt(inputs) and B zero, as PEFT begins.
    private void Fill(PreparedWeights source, Random random)
    {
        ImmutableArray<ParameterSpec> parameters = Parameters.Parameters;
        for (int i = 0; i < parameters.Length; i++)
        {
            Span<float> values = Parameters.Read(i, ParameterPart.Values);
            if (!AdapterSettings.IsAdapter(parameters[i].Name))
            {
                if (!source.TryGet(parameters[i].Name, out HostTensor stored))
                    throw new CheckpointException(Directory, $"tensor '{parameters[i].Name}'", $"{parameters[i].Shape}", "no such tensor");
                HostTensorValues.ToFloats(stored).CopyTo(values);
            }
            else if (parameters[i].Name.Contains(".lora_A.", StringComparison.Ordinal))
            {
                double bound = 1 / Math.Sqrt(parameters[i].Shape[1]);
                foreach (ref float value in values)
                    value = (float)(((random.NextDouble() * 2) - 1) * bound);
            }
        }
    }
}
