using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>A graph of one operation, whose gradients are compared with central differences of the same mathematics in double.</summary>
internal sealed class DifferentiableCase(RowCounts counts)
{
    private const double Step = 1e-5;

    private const int MostElements = 40;

    private readonly Random random = new(20261130);
    private readonly Dictionary<string, double[]> values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int[]> indices = new(StringComparer.Ordinal);
    private readonly List<ParameterSpec> weights = [];
    private readonly List<string> inputs = [];
    private readonly List<string> constants = [];

    public GraphBuilder Builder { get; } = new("case", counts);

    /// <summary>An F32 input of random values.</summary>
    public Tensor Input(string name, RowExtent rows, params int[] tail)
    {
        Tensor tensor = Builder.Input(name, DType.F32, rows, tail);
        values.Add(name, Values(Builder[tensor].Shape.ElementCount));
        inputs.Add(name);
        return tensor;
    }

    /// <summary>A trained weight of random values.</summary>
    public Tensor Weight(string name, params int[] shape)
    {
        var spec = new ParameterSpec(name, new Shape(shape));
        weights.Add(spec);
        values.Add(name, Values(spec.Shape.ElementCount));
        return Builder.Weight(name, DType.F32, spec.Shape);
    }

    /// <summary>An I32 input.</summary>
    public Tensor Indices(string name, RowExtent rows, int[] entries)
    {
        indices.Add(name, entries);
        return Builder.Input(name, DType.I32, rows);
    }

    /// <summary>The same with an input of random values that has no gradient.</summary>
    public void CheckWithPixels(Tensor output, string pixels, int count, Func<Dictionary<string, double[]>, double[]> reference)
    {
        values.Add(pixels, Values(count));
        constants.Add(pixels);
        Check(output, reference);
    }

    /// <summary>Runs both passes and compares losses, gradients of inputs and gradients of weights.</summary>
    /// <param name="output">What is differentiated.</param>
    /// <param name="reference">The operation's mathematics, from the values by name.</param>
    /// <param name="targets">Right tokens, where the output is a head's.</param>
    /// <param name="adapter">Of the linear named "w".</param>
    /// <param name="starts">First row of each row's sequence, where the operation attends causally.</param>
    public void Check(Tensor output, Func<Dictionary<string, double[]>, double[]> reference, int[]? targets = null, LowRankAdapter? adapter = null, int[]? starts = null)
    {
        string name = Builder[output].Name;
        if (adapter is not null)
            AddAdapter(adapter);
        Builder.MarkOutput(output);
        TrainingGraph training = TrainingGraph.Build(Builder.Build(), new TrainingGraphOptions
        {
            Output = name, HasTokenLoss = targets is not null, IsTrained = _ => true, InputGradients = [.. inputs], AdapterOf = weight => weight == "w" ? adapter : null,
        });
        Assert.Equal(weights.Select(weight => weight.Name).Order(), training.Trained.Order());
        using var backend = new CpuBackend(3);
        using IParameterMemory parameters = backend.AllocateParameters(weights);
        using var source = new ParameterWeights(parameters);
        for (int i = 0; i < weights.Count; i++)
            Copy(values[weights[i].Name], parameters.Read(i, ParameterPart.Values));
        using IBoundGraph graph = backend.BindTraining(backend.Plan(training.Graph), source, parameters);
        foreach (string input in inputs.Concat(constants))
            Copy(values[input], graph.Floats(training.Graph.Find(input)));
        foreach ((string input, int[] entries) in indices)
            entries.CopyTo(graph.Integers(training.Graph.Find(input)));
        starts?.CopyTo(graph.Integers(training.Starts!.Value));
        targets?.CopyTo(graph.Integers(training.Targets!.Value));
        double[] expected = reference(values), seed = Values(expected.Length);
        Copy(seed, graph.Floats(training.OutputGradient));
        graph.Run(counts, [], TestContext.Current.CancellationToken);
        Near("output", expected, graph.Output(training.Output));
        foreach (string input in inputs)
            Near(input, Differences(values[input]), graph.Output(training.InputGradients[input]));
        for (int i = 0; i < weights.Count; i++)
            Near(weights[i].Name, Differences(values[weights[i].Name]), parameters.Read(i, ParameterPart.Gradient));

        double[] Differences(double[] of)
        {
            // Elements of all parts, the last one among them; NaN where nothing is compared.
            double[] slopes = new double[of.Length];
            int stride = Math.Max(1, of.Length / MostElements);
            Array.Fill(slopes, double.NaN);
            for (int i = of.Length - 1; i >= 0; i -= stride)
            {
                double value = of[i];
                of[i] = value + Step;
                double above = Sum();
                of[i] = value - Step;
                slopes[i] = (above - Sum()) / (2 * Step);
                of[i] = value;
            }

            return slopes;
        }

        double Sum() => reference(values).Zip(seed, (value, factor) => value * factor).Sum();
    }

    private static void Near(string what, double[] expected, ReadOnlySpan<float> found)
    {
        Assert.Equal(expected.Length, found.Length);
        (double difference, double norm) = (0, 0);
        for (int i = 0; i < expected.Length; i++)
        {
            if (double.IsNaN(expected[i]))
                continue;
            difference += Math.Pow(found[i] - expected[i], 2);
            norm += Math.Pow(expected[i], 2);
        }

        Assert.True(Math.Sqrt(difference) <= 3e-6 * Math.Sqrt(norm), $"{what}: {Math.Sqrt(difference / norm):g3} relative");
    }

    private static void Copy(double[] from, Span<float> to)
    {
        for (int i = 0; i < from.Length; i++)
            to[i] = (float)from[i];
    }

    private void AddAdapter(LowRankAdapter adapter)
    {
        ParameterSpec linear = weights.Single(weight => weight.Name == "w");
        foreach (ParameterSpec spec in (ParameterSpec[])[new(adapter.A, new Shape(adapter.Rank, linear.Shape[1])), new(adapter.B, new Shape(linear.Shape[0], adapter.Rank))])
        {
            weights.Add(spec);
            values.Add(spec.Name, Values(spec.Shape.ElementCount));
        }
    }

    // Exact in float, so that both sides begin with the same numbers.
    private double[] Values(long count) => [.. Enumerable.Range(0, (int)count).Select(_ => (double)(float)((random.NextDouble() * 2) - 1))];

    private sealed class ParameterWeights(IParameterMemory parameters) : IWeightSource
    {
        public bool TryGet(string name, out HostTensor tensor)
        {
            tensor = parameters.Weight(parameters.Find(name));
            return true;
        }

        public void Dispose()
        {
        }
    }
}
