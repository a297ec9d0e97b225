using System.Runtime.InteropServices;
using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>A small graph that is differentiated on a backend: inputs and weights of random values, all of them with gradients but those that are frozen.</summary>
internal sealed class TrainedCase(RowCounts counts)
{
    private readonly Random random = new(20261130);
    private readonly Dictionary<string, float[]> values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int[]> indices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorSpec> specs = new(StringComparer.Ordinal);
    private readonly List<ParameterSpec> weights = [];
    private readonly List<string> inputs = [];
    private readonly HashSet<string> constants = [];

    public GraphBuilder Builder { get; } = new("case", counts);

    /// <summary>An F32 input of random values; a constant has no gradient.</summary>
    public Tensor Input(string name, RowExtent rows, int[] tail, bool isConstant = false)
    {
        Tensor tensor = Builder.Input(name, DType.F32, rows, tail);
        values.Add(name, Values(Builder[tensor].Shape.ElementCount));
        inputs.Add(name);
        if (isConstant)
            constants.Add(name);
        return tensor;
    }

    /// <summary>A trained weight, or a frozen one of a type.</summary>
    public Tensor Weight(string name, int[] shape, DType? frozen = null)
    {
        var spec = new ParameterSpec(name, new Shape(shape));
        values.Add(name, Values(spec.Shape.ElementCount));
        if (frozen is null)
            weights.Add(spec);
        else if (frozen == DType.BF16)
            values[name] = StoredFloats.Decode(StoredFloats.Encode(values[name], DType.BF16), DType.BF16);
        Tensor weight = Builder.Weight(name, frozen ?? DType.F32, spec.Shape);
        specs.Add(name, Builder[weight]);
        return weight;
    }

    /// <summary>An I32 input.</summary>
    public Tensor Indices(string name, RowExtent rows, int[] entries)
    {
        indices.Add(name, entries);
        return Builder.Input(name, DType.I32, rows);
    }

    /// <summary>Both passes, to be run on any backend with the same numbers.</summary>
    /// <param name="output">What is differentiated.</param>
    /// <param name="targets">Right tokens, where the output is a head's.</param>
    /// <param name="starts">Where attention is causal.</param>
    /// <param name="adapter">Of the linear named "w".</param>
    public Func<ITrainingBackend, Dictionary<string, float[]>> Differentiate(Tensor output, int[]? targets = null, int[]? starts = null, LowRankAdapter? adapter = null)
    {
        if (adapter is not null)
            AddAdapter(adapter);
        string name = Builder[output].Name;
        Builder.MarkOutput(output);
        HashSet<string> trained = [.. weights.Select(weight => weight.Name)];
        TrainingGraph training = TrainingGraph.Build(Builder.Build(), new TrainingGraphOptions
        {
            Output = name, HasTokenLoss = targets is not null, IsTrained = trained.Contains, InputGradients = [.. inputs.Where(input => !constants.Contains(input))],
            AdapterOf = weight => weight == "w" ? adapter : null,
        });
        float[] seed = Values(training.Graph[training.OutputGradient].Shape.ElementCount);
        return backend => Run(backend, training, seed, targets, starts);
    }

    private Dictionary<string, float[]> Run(ITrainingBackend backend, TrainingGraph training, float[] seed, int[]? targets, int[]? starts)
    {
        using IParameterMemory parameters = backend.AllocateParameters(weights);
        using var source = new CaseWeights(this, parameters);
        for (int i = 0; i < weights.Count; i++)
        {
            values[weights[i].Name].CopyTo(parameters.Read(i, ParameterPart.Values));
            // Gradients are added to.
            parameters.Read(i, ParameterPart.Gradient).Fill(0.125f);
        }

        using IBoundGraph graph = backend.BindTraining(backend.Plan(training.Graph), source, parameters);
        ComputeGraph bound = training.Graph;
        foreach (string input in inputs)
            values[input].CopyTo(graph.Floats(bound.Find(input)));
        foreach ((string input, int[] entries) in indices)
            entries.CopyTo(graph.Integers(bound.Find(input)));
        targets?.CopyTo(graph.Integers(bound.Find(TrainingGraph.TargetsName)));
        starts?.CopyTo(graph.Integers(bound.Find(TrainingGraph.StartsName)));
        if (training.DropoutSeed is not null)
            graph.Integers(bound.Find(TrainingGraph.DropoutSeedName))[0] = -77;
        seed.CopyTo(graph.Floats(bound.Find(TrainingGraph.OutputGradientName)));
        graph.Run(counts, [], TestContext.Current.CancellationToken);
        Dictionary<string, float[]> results = new(StringComparer.Ordinal) { ["output"] = graph.Output(training.Output).ToArray() };
        foreach ((string input, Tensor gradient) in training.InputGradients)
            results.Add(input, graph.Output(gradient).ToArray());
        for (int i = 0; i < weights.Count; i++)
            results.Add(weights[i].Name, parameters.Read(i, ParameterPart.Gradient).ToArray());
        return results;
    }

    private void AddAdapter(LowRankAdapter adapter)
    {
        Shape linear = specs["w"].Shape;
        foreach (ParameterSpec spec in (ParameterSpec[])[new(adapter.A, new Shape(adapter.Rank, linear[1])), new(adapter.B, new Shape(linear[0], adapter.Rank))])
        {
            weights.Add(spec);
            values.Add(spec.Name, Values(spec.Shape.ElementCount));
        }
    }

    private float[] Values(long count) => [.. Enumerable.Range(0, (int)count).Select(_ => (float)((random.NextDouble() * 2) - 1))];

    private sealed class CaseWeights(TrainedCase owner, IParameterMemory parameters) : IWeightSource
    {
        private readonly Dictionary<string, GCHandle> pinned = [];

        public bool TryGet(string name, out HostTensor tensor)
        {
            int parameter = owner.weights.FindIndex(weight => weight.Name == name);
            if (parameter >= 0)
            {
                tensor = parameters.Weight(parameter);
                return true;
            }

            tensor = default;
            if (!owner.values.TryGetValue(name, out float[]? stored))
                return false;
            if (!pinned.TryGetValue(name, out GCHandle handle))
                pinned.Add(name, handle = GCHandle.Alloc(Bytes(name, stored), GCHandleType.Pinned));
            TensorSpec spec = owner.specs[name];
            tensor = new HostTensor(handle.AddrOfPinnedObject(), spec.Type, spec.Shape);
            return true;
        }

        public bool TryDescribe(string name, out HostTensor facts) => TryGet(name, out facts);

        public void Dispose()
        {
            foreach (GCHandle handle in pinned.Values)
                handle.Free();
        }

        private byte[] Bytes(string name, float[] stored) => StoredFloats.Encode(stored, owner.specs[name].Type);
    }
}
