namespace XComposer2.Native.Graph;

/// <summary>Writes a graph anew so that each operation has a gradient: activations stand beside their linears, the two branches of a gated linear are linears of their own,
/// attention reads the rows of its sequence and no cache, a head gives losses in place of logits, and adapters are there.</summary>
internal sealed class DifferentiableForm(ComputeGraph source, GraphBuilder builder, TrainingGraphOptions options, bool hasScores = false)
{
    private readonly Tensor?[] written = new Tensor?[source.Tensors.Length];
    private readonly Dictionary<int, Tensor> rotated = [];
    private int streams;

    public Tensor? Targets { get; private set; }

    public Tensor? Seed { get; private set; }

    public Tensor? Starts { get; private set; }

    /// <returns>What <see cref="TrainingGraphOptions.Output"/> has become: an output.</returns>
    public Tensor Write()
    {
        Tensor output = source.Find(options.Output);
        foreach (Operation operation in source.Operations)
            written[operation.Output.Index] = Write(operation);
        for (int i = 0; i < source.Tensors.Length; i++)
            if (source.Tensors[i].Role == TensorRole.Output)
                builder.MarkOutput(Of(new Tensor(i)));
        builder.MarkOutput(Of(output));
        return Of(output);
    }

    private Tensor Write(Operation operation)
    {
        string name = source[operation.Output].Name;
        switch (operation)
        {
            case LinearOp head when options.HasTokenLoss && name == options.Output:
                if (head.Activation != Activation.None || head.Bias is not null || head.Residual is not null || head.Lora is not null)
                    throw new GraphException($"graph '{source.Name}', linear '{name}': expected a linear without bias, activation, residual and Partial LoRA before a token loss");
                Targets = builder.Input(TrainingGraph.TargetsName, DType.I32, source[head.Output].Rows);
                return hasScores
                    ? builder.TokenScores(Of(head.Input), Of(head.Weight), Targets.Value, ScoringGraph.ScoresName)
                    : builder.TokenLoss(Of(head.Input), Of(head.Weight), Targets.Value, TrainingGraph.LossName);

            case LinearOp linear:
                bool isActivated = linear.Activation != Activation.None;
                Tensor y = Linear(
                    linear.Input, linear.Weight, linear.Bias, isActivated ? null : linear.Residual, linear.Lora, linear.VisualRow, isActivated ? name + ".linear" : name);
                if (!isActivated)
                    return y;
                y = builder.Activate(y, linear.Activation, linear.Residual is null ? name : name + ".activation");
                return linear.Residual is { } residual ? builder.Add(Of(residual), y, 1, name) : y;

            case GatedLinearOp gated:
                return builder.SiluProduct(
                    Linear(gated.Input, gated.Gate, null, null, gated.GateLora, gated.VisualRow, name + ".gate"),
                    Linear(gated.Input, gated.Up, null, null, gated.UpLora, gated.VisualRow, name + ".up"),
                    name);

            case RopeKvAppendOp rope:
                Starts ??= builder.Input(TrainingGraph.StartsName, DType.I32, source[rope.Packed].Rows);
                Tensor packed = builder.Rotary(Of(rope.Packed), Starts.Value, rope.Geometry, rope.RopeTheta, name);
                rotated.Add(rope.Layer, packed);
                return packed;

            case PagedAttentionOp attention:
                return builder.CausalAttention(rotated[attention.Layer], Starts!.Value, attention.Geometry, name);

            default:
                TensorSpec spec = source[operation.Output];
                return builder.Emit(name, spec.Rows, spec.Shape[1], output => operation.Rename(Of, _ => output));
        }
    }

    private Tensor Linear(Tensor input, LinearWeight weight, Tensor? bias, Tensor? residual, PartialLora? lora, Tensor? visualRow, string name)
    {
        TensorSpec elements = source[weight.Elements];
        LowRankAdapter? adapter = options.AdapterOf(elements.Name);
        PartialLora? partial = lora is null ? null : new PartialLora(Of(lora.A), Of(lora.B), lora.Scale);
        Tensor y = builder.Linear(
            Of(input), Of(weight), Of(bias), residual: Of(residual), lora: partial, visualRow: Of(visualRow), name: adapter is null ? name : name + ".base");
        if (adapter is null)
            return y;
        Tensor a = builder.Weight(adapter.A, DType.F32, new Shape(adapter.Rank, elements.Shape[1]));
        Tensor b = builder.Weight(adapter.B, DType.F32, new Shape(elements.Shape[0], adapter.Rank));
        Tensor kept = Of(input);
        if (adapter.Dropout > 0)
        {
            Seed ??= builder.Input(TrainingGraph.DropoutSeedName, DType.I32, RowExtent.Fixed(1));
            TensorSpec x = builder[kept];
            kept = builder.Emit(name + ".dropout", x.Rows, x.Shape[1], output => new DropoutOp(Of(input), Seed.Value, streams++, adapter.Dropout, output));
        }

        Tensor reduced = builder.Linear(kept, a, name: name + ".adapter_a");
        return builder.Add(y, builder.Linear(reduced, b, name: name + ".adapter_b"), adapter.Scale, name);
    }

    private Tensor? Of(Tensor? tensor) => tensor is { } present ? Of(present) : null;

    private LinearWeight Of(LinearWeight weight) => weight.Rename(Of);

    private Tensor Of(Tensor tensor)
    {
        TensorSpec spec = source[tensor];
        return written[tensor.Index] ??= spec.Role switch
        {
            TensorRole.Input => builder.Input(spec.Name, spec.Type, spec.Rows, spec.Shape.AsSpan()[1..]),
            TensorRole.Weight => builder.Weight(spec.Name, spec.Type, spec.Shape),
            _ => throw new GraphException($"graph '{source.Name}', tensor '{spec.Name}': role {spec.Role} has no place in a training graph"),
        };
    }
}
