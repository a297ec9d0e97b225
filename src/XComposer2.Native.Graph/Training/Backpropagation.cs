namespace XComposer2.Native.Graph;

/// <summary>Appends the backward pass to a forward pass: operations in reverse, each giving the gradients of what it read. A gradient is made only where a trained weight
/// or a wanted input lies behind it. Where a layer is recomputed, what the backward pass asks for of it is computed again from the layer's input, and nothing else.</summary>
internal sealed partial class Backpropagation
{
    private readonly GraphBuilder builder;
    private readonly TrainingGraphOptions options;
    private readonly Operation[] forward;
    private readonly HashSet<Tensor> varying = [];
    private readonly Dictionary<Tensor, Tensor> gradients = [];
    private readonly Dictionary<Tensor, Operation> forgotten = [];
    private readonly Dictionary<Tensor, Tensor> again = [];
    private int count;

    public Backpropagation(GraphBuilder builder, TrainingGraphOptions options)
    {
        this.builder = builder;
        this.options = options;
        forward = [.. builder.Operations];
        foreach (Operation operation in forward)
            if (operation.Inputs.Any(IsVarying))
                varying.Add(operation.Output);
        Forget();
    }

    /// <returns>The gradients of the inputs for which they are wanted.</returns>
    public IReadOnlyDictionary<string, Tensor> Write(Tensor result, Tensor seed)
    {
        if (!varying.Contains(result))
            throw new GraphException($"graph '{builder.Name}', output '{builder[result].Name}': nothing that it depends on is trained");
        gradients.Add(result, seed);
        for (int i = forward.Length - 1; i >= 0; i--)
            if (gradients.Remove(forward[i].Output, out Tensor gradient))
                Differentiate(forward[i], gradient);
        var inputs = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((Tensor input, Tensor gradient) in gradients)
        {
            // What passes through unchanged is the caller's own memory, and no output.
            Tensor output = gradient == seed ? Emit(input, copy => new AddOp(null, seed, 1, copy)) : gradient;
            builder.MarkOutput(output);
            inputs.Add(builder[input].Name, output);
        }

        return inputs;
    }

    /// <summary>Whether a gradient of it is wanted, or of something behind it.</summary>
    private bool IsVarying(Tensor tensor)
    {
        TensorSpec spec = builder[tensor];
        return spec.Role switch
        {
            TensorRole.Weight => IsTrained(tensor),
            TensorRole.Input => spec.Type == DType.F32 && options.InputGradients.Contains(spec.Name),
            _ => varying.Contains(tensor),
        };
    }

    private bool IsTrained(Tensor weight)
    {
        TensorSpec spec = builder[weight];
        if (!options.IsTrained(spec.Name))
            return false;
        return spec.Type == DType.F32 ? true : throw new GraphException($"graph '{builder.Name}', weight '{spec.Name}': expected F32, because it is trained, found {spec.Type}");
    }

    private bool IsTrained(Tensor? weight) => weight is { } present && IsTrained(present);

    // Everything that the recomputed layers make, but for their last results, which are the inputs of the next ones.
    private void Forget()
    {
        if (options.RecomputedLayers > options.Layers.Length || options.RecomputedLayers < 0)
            throw new GraphException($"graph '{builder.Name}': expected 0 to {options.Layers.Length} recomputed layers, found {options.RecomputedLayers}");
        for (int layer = 0; layer < options.RecomputedLayers; layer++)
        {
            (string input, string output) = options.Layers[layer];
            int first = IndexOf(input) + 1, last = IndexOf(output);
            for (int i = first; i < last; i++)
                if (builder[forward[i].Output].Role == TensorRole.Temporary)
                    forgotten.Add(forward[i].Output, forward[i]);
        }

        int IndexOf(string name)
        {
            int index = Array.FindIndex(forward, operation => builder[operation.Output].Name == name);
            return index >= 0 ? index : throw new GraphException($"graph '{builder.Name}', layer: no operation writes '{name}'");
        }
    }

    /// <summary>A result of the forward pass as the backward pass reads it: as it is, or computed again.</summary>
    private Tensor Value(Tensor tensor)
    {
        if (!forgotten.TryGetValue(tensor, out Operation? operation))
            return tensor;
        if (again.TryGetValue(tensor, out Tensor known))
            return known;
        TensorSpec spec = builder[tensor];
        Operation renamed = operation.Rename(Value, output => output);
        Tensor value = builder.Emit(spec.Name + ".again", spec.Rows, spec.RowElements, output => renamed.Rename(input => input, _ => output));
        again.Add(tensor, value);
        return value;
    }

    /// <summary>Gives a tensor a part of its gradient, by an operation that adds the part to what there is.</summary>
    private void Contribute(Tensor tensor, Func<Tensor?, Tensor, Operation> make)
    {
        if (!IsVarying(tensor))
            return;
        Tensor? partial = gradients.TryGetValue(tensor, out Tensor known) ? known : null;
        gradients[tensor] = Emit(tensor, output => make(partial, output));
    }

    /// <summary>Gives a tensor a part of its gradient that exists already.</summary>
    private void Contribute(Tensor tensor, Tensor part)
    {
        if (IsVarying(tensor))
            gradients[tensor] = gradients.TryGetValue(tensor, out Tensor known) ? Emit(tensor, output => new AddOp(known, part, 1, output)) : part;
    }

    /// <summary>Gives a tensor a part of its gradient, by an operation that can add nothing.</summary>
    private void Contribute(Tensor tensor, Func<Tensor, Operation> make)
    {
        if (IsVarying(tensor))
            Contribute(tensor, Emit(tensor, make));
    }

    /// <summary>Adds to the gradient of a weight, if it is trained.</summary>
    private void AddTo(Tensor? weight, Func<Tensor, Operation> make)
    {
        if (weight is { } present && IsTrained(present))
            builder.EmitOnto(builder.GradientOf(present), make);
    }

    /// <summary>A result of the shape of another.</summary>
    private Tensor Emit(Tensor like, Func<Tensor, Operation> make)
    {
        TensorSpec spec = builder[like];
        return builder.Emit($"{TrainingGraph.GradientName(spec.Name)}.{count++}", spec.Rows, spec.RowElements, make);
    }
}
