using System.Collections.Immutable;
using System.Globalization;

namespace XComposer2.Native.Graph;

/// <summary>Builds a <see cref="ComputeGraph"/>: every method checks the shapes, types and row extents of its operands, appends one operation and
/// returns the handle of the output it made. A tensor is therefore written once and before it is read, by construction.</summary>
/// <remarks>Not thread-safe. All errors are <see cref="GraphException"/>s that name operation, tensor, expected and found.</remarks>
public sealed partial class GraphBuilder
{
    private readonly List<TensorSpec> tensors = [];
    private readonly List<Operation> operations = [];
    private readonly Dictionary<string, Tensor> byName = new(StringComparer.Ordinal);
    private readonly Dictionary<int, AttentionGeometry> cachedLayers = [];
    private bool built;

    /// <param name="name">Name of the graph in messages and printed plans.</param>
    /// <param name="capacity">Largest counts that the graph will be run with. A symbol that the graph does not use may be 0.</param>
    public GraphBuilder(string name, RowCounts capacity)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (capacity.Tokens < 0 || capacity.Logits < 0 || capacity.Images < 0)
            throw new GraphException($"graph '{name}': capacity: expected counts of 0 or more, found {capacity}");
        Name = name;
        Capacity = capacity;
    }

    public string Name { get; }

    public RowCounts Capacity { get; }

    /// <inheritdoc cref="ComputeGraph.HasOneRowPerSequence"/>
    public bool HasOneRowPerSequence { get; init; }

    /// <inheritdoc cref="ComputeGraph.HasFreeSums"/>
    public bool HasFreeSums { get; init; }

    /// <summary>A tensor that the caller writes before each run: [rows at capacity, tail...].</summary>
    public Tensor Input(string name, DType type, RowExtent rows, params ReadOnlySpan<int> tail)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Add(name, type, rows, tail, TensorRole.Input);
    }

    /// <summary>Rows that lie in memory of the caller's own, and are chosen by index: [1, columns], standing for as many rows as that memory has.</summary>
    public Tensor Resident(string name, DType type, int columns)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Add(name, type, RowExtent.Fixed(1), [columns], TensorRole.Resident);
    }

    /// <summary>A tensor of the checkpoint. The same name again gives the same handle (tied weights) if type and shape agree.</summary>
    public Tensor Weight(string name, DType type, Shape shape)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (byName.TryGetValue(name, out Tensor known))
        {
            TensorSpec spec = tensors[known.Index];
            return spec.Role == TensorRole.Weight && spec.Type == type && spec.Shape == shape
                ? known
                : throw new GraphException($"graph '{Name}', weight '{name}': declared before as {spec.Role} {spec.Type} {spec.Shape}, now as Weight {type} {shape}");
        }

        if (shape.Rank == 0)
            throw new GraphException($"graph '{Name}', weight '{name}': expected rank 1 or more, found a scalar");
        return Add(name, type, RowExtent.Fixed(shape[0]), shape.AsSpan()[1..], TensorRole.Weight);
    }

    /// <summary>The weight matrix of a linear: declares every part of its format, by the names of <see cref="WeightFormat.NameOf"/>.</summary>
    /// <param name="name">Of the elements.</param>
    /// <param name="format">How it is stored.</param>
    /// <param name="shape">[out, in].</param>
    public LinearWeight Weight(string name, WeightFormat format, Shape shape)
    {
        var parts = new Tensor?[(int)WeightPart.GroupIndex + 1];
        try
        {
            foreach (WeightPartSpec part in format.Parts(shape))
                parts[(int)part.Part] = Weight(WeightFormat.NameOf(name, part.Part), part.Type, part.Shape);
        }
        catch (ArgumentException refused)
        {
            throw new GraphException($"graph '{Name}', weight '{name}': {refused.Message}", refused);
        }

        return new LinearWeight(
            format, parts[(int)WeightPart.Elements]!.Value, parts[(int)WeightPart.Scales], parts[(int)WeightPart.ZeroPoints], parts[(int)WeightPart.GroupIndex]);
    }

    /// <summary>A tensor of a floating type as the weight matrix of a linear.</summary>
    public LinearWeight Stored(Tensor weight) =>
        new(TryGet(weight) is { } spec && spec.Type.IsFloat() ? WeightFormat.Of(spec.Type) : WeightFormat.F32, weight);

    /// <summary>The facts of a tensor of this graph.</summary>
    public TensorSpec this[Tensor tensor] =>
        TryGet(tensor) ?? throw new GraphException($"graph '{Name}': handle {tensor.Index} is not a tensor of this graph");

    /// <summary>Keeps a result until the run has ended. May be called again for the same tensor.</summary>
    public void MarkOutput(Tensor tensor)
    {
        TensorSpec spec = this[tensor];
        if (spec.Role is not (TensorRole.Temporary or TensorRole.Output))
            throw new GraphException($"graph '{Name}', output '{spec.Name}': expected the result of an operation, found a tensor of role {spec.Role}");
        tensors[tensor.Index] = spec with { Role = TensorRole.Output };
    }

    /// <summary>The finished graph; the builder takes no more operations.</summary>
    /// <remarks>A result that nothing reads and that is not an output is an error, not dropped: it is a line that was forgotten.
    /// The queries of <see cref="RopeKvAppendOp"/> may go unread, because the cache was written. Unread inputs are allowed (callers fill a fixed set),
    /// unread weights are not (they would be loaded for nothing).</remarks>
    public ComputeGraph Build()
    {
        ThrowIfBuilt();
        if (operations.Count == 0)
            throw new GraphException($"graph '{Name}': expected at least one operation, found none");
        var read = new bool[tensors.Count];
        foreach (Operation operation in operations)
            foreach (Tensor input in operation.Inputs)
                read[input.Index] = true;

        foreach (Operation operation in operations)
        {
            TensorSpec output = tensors[operation.Output.Index];
            if (output.Role == TensorRole.Temporary && !read[operation.Output.Index] && operation is not RopeKvAppendOp)
                throw new GraphException($"graph '{Name}', {operation.Name} '{output.Name}': the result is neither read nor an output");
        }

        for (int i = 0; i < tensors.Count; i++)
            if (tensors[i].Role == TensorRole.Weight && !read[i])
                throw new GraphException($"graph '{Name}', weight '{tensors[i].Name}': declared and never read");
        built = true;
        return new ComputeGraph(Name, Capacity, [.. tensors], [.. operations]) { HasOneRowPerSequence = HasOneRowPerSequence, HasFreeSums = HasFreeSums };
    }

    /// <summary>What was appended so far.</summary>
    internal IReadOnlyList<Operation> Operations => operations;

    /// <summary>Appends an operation with a result [rows, columns] F32 of its own, for whoever has checked the operands.</summary>
    internal Tensor Emit(string name, RowExtent rows, int columns, Func<Tensor, Operation> make) => Append(make(Add(name, DType.F32, rows, [columns], TensorRole.Temporary)));

    /// <summary>Appends an operation that adds to a gradient.</summary>
    internal void EmitOnto(Tensor gradient, Func<Tensor, Operation> make) => Append(make(gradient));

    /// <summary>The gradient of a weight: the same handle each time.</summary>
    internal Tensor GradientOf(Tensor weight)
    {
        TensorSpec spec = this[weight];
        string name = TrainingGraph.GradientName(spec.Name);
        return byName.TryGetValue(name, out Tensor known) ? known : Add(name, DType.F32, spec.Rows, spec.Shape.AsSpan()[1..], TensorRole.Gradient);
    }

    internal TensorSpec? TryGet(Tensor tensor) => (uint)tensor.Index < (uint)tensors.Count ? tensors[tensor.Index] : null;

    private OperandCheck Begin(string operation, string? name)
    {
        ThrowIfBuilt();
        return new OperandCheck(this, operation, name ?? string.Create(CultureInfo.InvariantCulture, $"{operation}.{operations.Count}"));
    }

    private Tensor Result(OperandCheck check, RowExtent rows, int columns) =>
        Add(check.Output, DType.F32, rows, [columns], TensorRole.Temporary);

    private Tensor Append(Operation operation)
    {
        operations.Add(operation);
        return operation.Output;
    }

    private Tensor Add(string name, DType type, RowExtent rows, ReadOnlySpan<int> tail, TensorRole role)
    {
        ThrowIfBuilt();
        if (byName.ContainsKey(name))
            throw new GraphException($"graph '{Name}', tensor '{name}': a tensor of this name exists already");
        if (!Enum.IsDefined(type))
            throw new GraphException($"graph '{Name}', tensor '{name}': expected a known element type, found {(int)type}");
        TensorSpec spec;
        try
        {
            Span<int> sizes = [Capacity.Resolve(rows), .. tail];
            if (sizes.ContainsAnyInRange(int.MinValue, 0))
                throw new GraphException($"graph '{Name}', tensor '{name}': expected sizes of 1 or more, found [{string.Join(", ", sizes.ToArray())}] for {rows} at {Capacity}");
            spec = new TensorSpec(name, type, new Shape(sizes), rows, role);
            _ = (spec.CapacityBytes, spec.RowElements);
        }
        catch (OverflowException overflow)
        {
            throw new GraphException($"graph '{Name}', tensor '{name}': {rows} with tail [{string.Join(", ", tail.ToArray())}] is beyond what can be counted", overflow);
        }

        var tensor = new Tensor(tensors.Count);
        tensors.Add(spec);
        byName.Add(name, tensor);
        return tensor;
    }

    private void ThrowIfBuilt()
    {
        if (built)
            throw new InvalidOperationException($"graph '{Name}' has been built already");
    }
}
