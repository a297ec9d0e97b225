using System.Collections.Immutable;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>
/// Rewrites a graph for the device: neighbours that one kernel does become one operation, what is not the residual stream is stored in 16 bits, and
/// matrices of linears are named in the order of rows that the kernels want. Inputs and outputs keep their names.
/// </summary>
public sealed class CudaLowering
{
    private readonly ComputeGraph source;
    private readonly DType storage;
    private readonly TensorUses uses;
    private readonly bool isDecode;
    private readonly CacheFormat? cache;
    private readonly bool hasHalfSums;
    private readonly List<TensorSpec> tensors = [];
    private readonly List<Operation> operations = [];
    private readonly Tensor?[] lowered;
    private readonly Dictionary<int, RmsNormOp> foldedNorms = [];
    private readonly Dictionary<int, FusedRope> foldedRopes = [];
    private readonly Dictionary<int, PackedProjections> packed = [];

    private CudaLowering(ComputeGraph source, DType storage, CacheFormat? cache, bool hasHalfSums)
    {
        this.source = source;
        this.storage = storage;
        this.cache = cache;
        this.hasHalfSums = hasHalfSums;
        uses = new TensorUses(source);
        lowered = new Tensor?[source.Tensors.Length];
        isDecode = source.HasOneRowPerSequence;
        foreach (PackedProjections projections in PackedProjections.In(source, uses))
            foreach (LinearOp linear in projections.All)
                packed.Add(linear.Output.Index, projections);
    }

    /// <param name="graph">As the model builds it.</param>
    /// <param name="storage">Type of weights and of activations that are not the residual stream.</param>
    /// <param name="cache">Of keys and values: int8, or null for the storage type.</param>
    /// <param name="hasHalfSums">Linears of many rows may add products as <see cref="HalfSums"/>.</param>
    /// <exception cref="NotSupportedException">There are no kernels for the cache.</exception>
    public static ComputeGraph Lower(ComputeGraph graph, DType storage, CacheFormat? cache = null, bool hasHalfSums = false)
    {
        ArgumentNullException.ThrowIfNull(graph);
        CacheFormat? other = cache == CacheFormat.Of(storage) ? null : cache;
        if (other is { } format && !DeviceCaches.Has(format, storage))
            throw new NotSupportedException($"the GPU has no kernels for a key/value cache of {format}: expected {CacheFormat.Of(storage)}, the type of weights and activations, or, where it has 16 bits, {CacheFormat.Int8}");
        if (graph.HasOneRowPerSequence && graph.Capacity.Tokens > LinearDecode.MaxRows)
            throw new GraphException($"graph '{graph.Name}': expected at most {LinearDecode.MaxRows} sequences of one row on a GPU, found {graph.Capacity.Tokens}");
        return new CudaLowering(graph, storage, other, hasHalfSums).Run();
    }

    private ComputeGraph Run()
    {
        foreach (TensorSpec input in source.Tensors.Where(tensor => tensor.Role is TensorRole.Input or TensorRole.Resident))
            lowered[source.Find(input.Name).Index] = Add(input);
        foreach (Operation operation in source.Operations)
            Lower(operation);
        return source with { Tensors = [.. tensors], Operations = [.. operations], Cache = cache };
    }

    private void Lower(Operation operation)
    {
        switch (operation)
        {
            case RmsNormOp norm when IsFolded(norm):
                foldedNorms.Add(norm.Output.Index, norm);
                break;
            case LinearOp linear when packed.TryGetValue(linear.Output.Index, out PackedProjections? projections):
                if (linear == projections.Query)
                    LowerPacked(projections);
                break;
            case LinearOp linear:
                LowerLinear(linear);
                break;
            case GatedLinearOp gated:
                LowerGated(gated);
                break;
            case RopeKvAppendOp rope when foldedRopes.ContainsKey(rope.Packed.Index):
                break;
            default:
                operations.Add(operation.Rename(Operand, Result));
                break;
        }
    }

    private bool IsFolded(RmsNormOp norm) =>
        isDecode && source[norm.Output].Role == TensorRole.Temporary && uses.OnlyReader(norm.Output) is LinearOp or GatedLinearOp;

    private void LowerLinear(LinearOp linear)
    {
        // A scale of an int8 cache needs the whole head, which no block of a linear has.
        RopeKvAppendOp? rope = cache is null && source[linear.Output].Role == TensorRole.Temporary ? uses.OnlyReader(linear.Output) as RopeKvAppendOp : null;
        if (rope is not null)
            foldedRopes.Add(linear.Output.Index, new FusedRope(rope.Layer, rope.Geometry, rope.RopeTheta));
        (Tensor input, FusedNorm? norm) = Input(linear.Input);
        FusedLora? lora = linear.Lora is { } adapter ? LowerLora(linear, adapter, input, rope?.Geometry) : null;
        CudaWeight weight = Projection(ElementsOf(linear.Weight), rope?.Geometry);
        (WeightFormat format, Tensor? panel) = OnDevice(weight, linear.Weight.Format, source[linear.Weight.Elements].Shape, linear.Output);
        operations.Add(new FusedLinearOp(
            input,
            weight,
            format,
            norm,
            linear.Bias is { } bias ? new PlainWeight(source[bias].Name) : null,
            linear.Activation,
            Renamed(linear.Residual),
            lora,
            rope is null ? null : foldedRopes[linear.Output.Index],
            rope is null ? LinearEpilogue.Plain : LinearEpilogue.RopeKvAppend,
            storage,
            Result(rope?.Output ?? linear.Output),
            panel,
            hasHalfSums));
    }

    // Queries, keys and values of a row beside each other.
    private void LowerPacked(PackedProjections projections)
    {
        LinearOp query = projections.Query;
        (Tensor input, FusedNorm? norm) = Input(query.Input);
        StackedWeight weight = Stacked(projections.All.Select(linear => ElementsOf(linear.Weight)));
        Shape shape = source[query.Weight.Elements].Shape;
        (WeightFormat format, Tensor? panel) = OnDevice(weight, query.Weight.Format, new Shape(3 * shape[0], shape[1]), query.Output);
        TensorSpec rows = source[query.Output];
        Tensor output = Add(new TensorSpec(rows.Name + ".packed", storage, new Shape(rows.Shape[0], 3 * shape[0]), rows.Rows, TensorRole.Temporary));
        foreach (LinearOp linear in projections.All)
            lowered[linear.Output.Index] = output;
        operations.Add(new FusedLinearOp(
            input,
            weight,
            format,
            norm,
            query.Bias is null ? null : Stacked(projections.All.Select(linear => linear.Bias!.Value)),
            Activation.None,
            Residual: null,
            Lora: null,
            Rope: null,
            LinearEpilogue.Plain,
            storage,
            output,
            panel,
            hasHalfSums));
    }

    private StackedWeight Stacked(IEnumerable<Tensor> weights)
    {
        string[] names = [.. weights.Select(weight => source[weight].Name)];
        return new StackedWeight(names[0], names[1], names[2]);
    }

    private FusedLora LowerLora(LinearOp linear, PartialLora adapter, Tensor input, AttentionGeometry? packed)
    {
        int rank = source[ElementsOf(adapter.A)].Shape[0];
        Tensor visualRow = Renamed(linear.VisualRow)!.Value;
        return LowerLora(
            new LoraMatrix(new PlainWeight(source[adapter.A.Elements].Name), adapter.A.Format, source[adapter.A.Elements].Shape),
            new LoraMatrix(Projection(ElementsOf(adapter.B), packed), adapter.B.Format, source[adapter.B.Elements].Shape),
            adapter.Scale, input, linear.Output, visualRow, rank);
    }

    private void LowerGated(GatedLinearOp gated)
    {
        (Tensor input, FusedNorm? norm) = Input(gated.Input);
        FusedLora? lora = null;
        if (gated.GateLora is not null || gated.UpLora is not null)
            lora = LowerGatedLora(gated, input);
        GateUpWeight weight = new(source[ElementsOf(gated.Gate)].Name, source[ElementsOf(gated.Up)].Name);
        Shape half = source[gated.Gate.Elements].Shape;
        (WeightFormat format, Tensor? panel) = OnDevice(weight, gated.Gate.Format, new Shape(2 * half[0], half[1]), gated.Output);
        operations.Add(new FusedLinearOp(
            input,
            weight,
            format,
            norm,
            Bias: null,
            Activation.None,
            Residual: null,
            lora,
            Rope: null,
            LinearEpilogue.Gated,
            storage,
            Result(gated.Output),
            panel,
            hasHalfSums));
    }

    private FusedLora LowerGatedLora(GatedLinearOp gated, Tensor input)
    {
        if (gated.GateLora is not { } gate || gated.UpLora is not { } up || gate.Scale != up.Scale || source[ElementsOf(gate.A)].Shape != source[ElementsOf(up.A)].Shape
            || FormatOf(gate.A) != FormatOf(up.A) || FormatOf(gate.B) != FormatOf(up.B))
            throw new GraphException($"graph '{source.Name}', gated_linear '{source[gated.Output].Name}': expected the same rank, scale and formats of Partial LoRA for gate and up on a GPU");
        (Shape a, Shape b) = (source[gate.A.Elements].Shape, source[gate.B.Elements].Shape);
        return LowerLora(
            new LoraMatrix(new StackedWeight(source[gate.A.Elements].Name, source[up.A.Elements].Name), gate.A.Format, new Shape(2 * a[0], a[1])),
            new LoraMatrix(new GateUpWeight(source[ElementsOf(gate.B)].Name, source[ElementsOf(up.B)].Name), gate.B.Format, new Shape(2 * b[0], b[1])),
            gate.Scale, input, gated.Output, Renamed(gated.VisualRow)!.Value, a[0]);
    }

    // What is small is multiplied as floating numbers: panels of integers are made just before.
    private FusedLora LowerLora(LoraMatrix a, LoraMatrix b, float scale, Tensor input, Tensor output, Tensor visualRow, int rank)
    {
        Tensor down = AddDown(output, a.Shape[0]);
        operations.Add(new LoraDownOp(input, a.Weight, a.Shape[0], scale, visualRow, down, LoraPanel(a, output, ".lora_a")));
        return new FusedLora(down, b.Weight, rank, visualRow, LoraPanel(b, output, ".lora_b"));
    }

    private Tensor? LoraPanel(LoraMatrix matrix, Tensor output, string suffix) => matrix.Format.IsFloat ? null : AddPanel(matrix.Weight, matrix.Format, matrix.Shape, source[output].Name + suffix);

    private WeightFormat FormatOf(LinearWeight weight) => weight.Format.IsFloat ? WeightFormat.Of(storage) : weight.Format;

    /// <exception cref="GraphException">The GPU has no kernel for the format, or for rows of this length.</exception>
    private Tensor ElementsOf(LinearWeight weight)
    {
        TensorSpec spec = source[weight.Elements];
        if (!DeviceWeights.Has(weight.Format))
            throw new GraphException($"graph '{source.Name}', weight '{spec.Name}': the GPU has no kernel for weights of {weight.Format}");
        DeviceWeights device = DeviceWeights.Of(weight.Format);
        if (!weight.Format.IsFloat && spec.Shape[1] % device.ColumnMultiple != 0)
            throw new GraphException($"weight '{spec.Name}': expected {spec.Type} rows of a multiple of {device.ColumnMultiple} elements on a GPU, found {spec.Type} {spec.Shape}");
        return spec.Shape[0] % device.RowMultiple == 0
            ? weight.Elements
            : throw new GraphException($"weight '{spec.Name}': expected a multiple of {device.RowMultiple} rows of {weight.Format} on a GPU, found {spec.Type} {spec.Shape}");
    }

    /// <summary>How the linear's kernel reads the weight: as it is, or as a panel of the storage type, which an operation before it makes.</summary>
    private (WeightFormat Format, Tensor? Panel) OnDevice(CudaWeight weight, WeightFormat format, Shape shape, Tensor output)
    {
        if (format.IsFloat)
            return (WeightFormat.Of(storage), null);
        if (isDecode || !DeviceWeights.Of(format).NeedsPanel)
            return (format, null);
        return (WeightFormat.Of(storage), AddPanel(weight, format, shape, source[output].Name + ".panel"));
    }

    private Tensor AddPanel(CudaWeight weight, WeightFormat format, Shape shape, string name)
    {
        Tensor panel = Add(new TensorSpec(name, storage, shape, RowExtent.Fixed(shape[0]), TensorRole.Temporary));
        operations.Add(new DequantizeOp(weight, format, storage, panel));
        return panel;
    }

    /// <summary>A matrix, or what goes with its rows, in the order that the linear's epilogue wants.</summary>
    private CudaWeight Projection(Tensor weight, AttentionGeometry? packed) =>
        packed is { } geometry ? new RopePackedWeight(source[weight].Name, geometry) : new PlainWeight(source[weight].Name);

    private (Tensor Input, FusedNorm? Norm) Input(Tensor input) => foldedNorms.TryGetValue(input.Index, out RmsNormOp? norm)
        ? (Renamed(norm.Input), new FusedNorm(source[norm.Weight].Name, norm.Epsilon))
        : (Renamed(input), null);

    private Tensor Renamed(Tensor tensor) => lowered[tensor.Index]
        ?? throw new InvalidOperationException($"graph '{source.Name}', tensor '{source[tensor].Name}': read, but folded away");

    private Tensor? Renamed(Tensor? tensor) => tensor is { } present ? Renamed(present) : null;

    private Tensor Operand(Tensor tensor) => source[tensor].Role == TensorRole.Weight ? lowered[tensor.Index] ??= AddOnDevice(tensor) : Renamed(tensor);

    private Tensor Result(Tensor tensor)
    {
        Tensor result = AddOnDevice(tensor);
        lowered[tensor.Index] = result;
        return result;
    }

    // In the type that it has on the device; a table of integers keeps it.
    private Tensor AddOnDevice(Tensor tensor) => Add(source[tensor] with { Type = !source[tensor].Type.IsFloat() ? source[tensor].Type : uses.IsFloat(tensor) ? DType.F32 : storage });

    private Tensor AddDown(Tensor output, int columns)
    {
        TensorSpec spec = source[output];
        return Add(new TensorSpec(spec.Name + ".lora", storage, new Shape(spec.Shape[0], columns), spec.Rows, TensorRole.Temporary));
    }

    private Tensor Add(TensorSpec spec)
    {
        tensors.Add(spec);
        return new Tensor(tensors.Count - 1);
    }
}

/// <summary>A matrix of Partial LoRA, as the kernels want its rows.</summary>
internal sealed record LoraMatrix(CudaWeight Weight, WeightFormat Format, Shape Shape);
