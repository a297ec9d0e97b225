using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Lifetimes of the temporaries and outputs of a graph. Inputs, weights and gradients are outside the arena and have none.</summary>
public sealed class Liveness
{
    private readonly ImmutableArray<LiveRange?> ranges;

    private Liveness(ImmutableArray<LiveRange?> ranges) => this.ranges = ranges;

    /// <summary>Computes the lifetimes of a graph. Outputs live to the end, unread results during their own step.</summary>
    /// <exception cref="GraphException">A tensor is written twice, read before it is written, never written, or not of this graph. This can only
    /// happen in a graph built without <see cref="GraphBuilder"/>.</exception>
    public static Liveness Of(ComputeGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var ranges = new LiveRange?[graph.Tensors.Length];
        for (int step = 0; step < graph.Operations.Length; step++)
        {
            Operation operation = graph.Operations[step];
            foreach (Tensor input in operation.Inputs)
                Read(graph, ranges, step, input);
            Write(graph, ranges, step, operation);
        }

        for (int i = 0; i < ranges.Length; i++)
        {
            TensorSpec spec = graph.Tensors[i];
            if (IsMade(spec) && ranges[i] is null)
                throw new GraphException($"graph '{graph.Name}', tensor '{spec.Name}': no operation writes it");
            if (spec.Role == TensorRole.Output)
                ranges[i] = ranges[i]!.Value with { Last = graph.Operations.Length - 1 };
        }

        return new Liveness([.. ranges]);
    }

    /// <summary>Lifetime of a temporary or output; null for inputs, weights and gradients.</summary>
    public LiveRange? this[Tensor tensor] => ranges[tensor.Index];

    private static bool IsMade(TensorSpec spec) => spec.Role is TensorRole.Temporary or TensorRole.Output;

    private static void Read(ComputeGraph graph, LiveRange?[] ranges, int step, Tensor input)
    {
        TensorSpec spec = Known(graph, step, input);
        if (spec.Role == TensorRole.Gradient)
            throw Failure(graph, step, spec, "read although its role is Gradient");
        if (!IsMade(spec))
            return;
        if (ranges[input.Index] is not { } range)
            throw Failure(graph, step, spec, "read before it is written");
        ranges[input.Index] = range with { Last = step };
    }

    private static void Write(ComputeGraph graph, LiveRange?[] ranges, int step, Operation operation)
    {
        Tensor output = operation.Output;
        TensorSpec spec = Known(graph, step, output);
        if (spec.Role == TensorRole.Gradient)
            return;
        if (!IsMade(spec))
            throw Failure(graph, step, spec, $"written although its role is {spec.Role}");
        if (operation.ContinuesOutput)
        {
            ranges[output.Index] = (ranges[output.Index] ?? throw Failure(graph, step, spec, "continued before it is begun")) with { Last = step };
            return;
        }

        if (ranges[output.Index] is not null)
            throw Failure(graph, step, spec, "written twice");
        ranges[output.Index] = new LiveRange(step, step);
    }

    private static TensorSpec Known(ComputeGraph graph, int step, Tensor tensor) => (uint)tensor.Index < (uint)graph.Tensors.Length
        ? graph.Tensors[tensor.Index]
        : throw new GraphException($"graph '{graph.Name}', step {step} {graph.Operations[step].Name}: handle {tensor.Index} is not a tensor of this graph");

    private static GraphException Failure(ComputeGraph graph, int step, TensorSpec spec, string what) =>
        new($"graph '{graph.Name}', step {step} {graph.Operations[step].Name}, tensor '{spec.Name}': {what}");
}

/// <summary>Lifetime of a buffer as a closed interval of steps: written at <paramref name="First"/>, last read at <paramref name="Last"/>.</summary>
public readonly record struct LiveRange(int First, int Last)
{
    public int Steps => Last - First + 1;

    /// <summary>Whether the lifetimes share a step. An operation's inputs and output always overlap: nothing is computed in place.</summary>
    public bool Overlaps(LiveRange other) => First <= other.Last && other.First <= Last;

    /// <summary>For example <c>3..7</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{First}..{Last}");
}
