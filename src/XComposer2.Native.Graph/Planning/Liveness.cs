using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>First and last use of everything that a graph makes. Inputs and weights live outside the arena and have no range.</summary>
public sealed class Liveness
{
    private readonly ImmutableArray<LiveRange?> ranges;

    private Liveness(ImmutableArray<LiveRange?> ranges) => this.ranges = ranges;

    /// <summary>Ranges of all tensors of a graph; outputs live to the end, a result that nothing reads during its own step.</summary>
    /// <exception cref="GraphException">A tensor is written twice, read before it is written, made but never written, or not of this graph.
    /// <see cref="GraphBuilder"/> makes no such graph; a graph put together by hand can be one.</exception>
    public static Liveness Of(ComputeGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var ranges = new LiveRange?[graph.Tensors.Length];
        for (int step = 0; step < graph.Operations.Length; step++)
        {
            Operation operation = graph.Operations[step];
            foreach (Tensor input in operation.Inputs)
                Read(graph, ranges, step, input);
            Write(graph, ranges, step, operation.Output);
        }

        for (int i = 0; i < ranges.Length; i++)
        {
            TensorSpec spec = graph.Tensors[i];
            if (IsMade(spec) && ranges[i] is null)
                throw new GraphException($"graph '{graph.Name}', tensor '{spec.Name}': expected an operation that writes it, found none");
            if (spec.Role == TensorRole.Output)
                ranges[i] = ranges[i]!.Value with { Last = graph.Operations.Length - 1 };
        }

        return new Liveness([.. ranges]);
    }

    /// <summary>The range of a temporary or output; null for inputs and weights.</summary>
    public LiveRange? this[Tensor tensor] => ranges[tensor.Index];

    private static bool IsMade(TensorSpec spec) => spec.Role is TensorRole.Temporary or TensorRole.Output;

    private static void Read(ComputeGraph graph, LiveRange?[] ranges, int step, Tensor input)
    {
        TensorSpec spec = Known(graph, step, input);
        if (!IsMade(spec))
            return;
        if (ranges[input.Index] is not { } range)
            throw Failure(graph, step, spec, "read before it is written");
        ranges[input.Index] = range with { Last = step };
    }

    private static void Write(ComputeGraph graph, LiveRange?[] ranges, int step, Tensor output)
    {
        TensorSpec spec = Known(graph, step, output);
        if (!IsMade(spec))
            throw Failure(graph, step, spec, $"written although its role is {spec.Role}");
        if (ranges[output.Index] is not null)
            throw Failure(graph, step, spec, "written a second time");
        ranges[output.Index] = new LiveRange(step, step);
    }

    private static TensorSpec Known(ComputeGraph graph, int step, Tensor tensor) => (uint)tensor.Index < (uint)graph.Tensors.Length
        ? graph.Tensors[tensor.Index]
        : throw new GraphException($"graph '{graph.Name}', step {step} {graph.Operations[step].Name}: handle {tensor.Index} is not a tensor of this graph");

    private static GraphException Failure(ComputeGraph graph, int step, TensorSpec spec, string what) =>
        new($"graph '{graph.Name}', step {step} {graph.Operations[step].Name}, tensor '{spec.Name}': {what}");
}

/// <summary>Steps during which a buffer must keep its bytes, both ends included: written at <paramref name="First"/>, last read at <paramref name="Last"/>.</summary>
public readonly record struct LiveRange(int First, int Last)
{
    public int Steps => Last - First + 1;

    /// <summary>True where both are live at some step. An operation's inputs and its output are: nothing is computed in place.</summary>
    public bool Overlaps(LiveRange other) => First <= other.Last && other.First <= Last;

    /// <summary>For example <c>3..7</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{First}..{Last}");
}
