using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>
/// Rewrites a training graph for the device. Every product becomes one of three forms over the same kernel, Partial LoRA two more that count visual rows alone; attention backwards gets statistics
/// of its rows first; losses go piece by piece over their rows; weights of integers are made into panels just before they are multiplied. Activations, gradients and trained weights stay F32, as
/// do vectors; frozen 16-bit matrices are of the storage type. Tensors of the source keep their handles: what is made beside them comes after them.
/// </summary>
public sealed class TrainingLowering
{
    /// <summary>Rows whose logits exist together.</summary>
    public const int PieceRows = 128;

    private readonly ComputeGraph source;
    private readonly DType storage;
    private readonly List<TensorSpec> tensors;
    private readonly List<Operation> operations = [];

    private TrainingLowering(ComputeGraph source, DType storage)
    {
        this.source = source;
        this.storage = storage;
        HashSet<Tensor> tables = [.. source.Operations.OfType<PatchEmbeddingOp>().Select(patches => patches.Positions)];
        tensors = [.. source.Tensors.Select((tensor, index) => tensor.Role == TensorRole.Weight ? OnDevice(tensor, tables.Contains(new Tensor(index))) : tensor)];
    }

    /// <summary>Whether a graph has operations of training alone.</summary>
    public static bool IsTraining(ComputeGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return graph.Operations.Any(static operation => operation is TokenLossOp or TokenScoresOp or CausalAttentionOp)
            || graph.Tensors.Any(static tensor => tensor.Role == TensorRole.Gradient || (tensor.Role == TensorRole.Input && tensor.Name == TrainingGraph.OutputGradientName));
    }

    /// <param name="graph">Of <see cref="TrainingGraph"/>.</param>
    /// <param name="storage">Of frozen 16-bit matrices and of what tensor cores multiply: BF16, or F32 for tests.</param>
    /// <exception cref="NotSupportedException">The storage is F16, whose range is too small for gradients, or an operation has no kernel.</exception>
    /// <exception cref="GraphException">The GPU has no kernel for a weight's format, or for rows of its length.</exception>
    public static ComputeGraph Lower(ComputeGraph graph, DType storage)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return storage is DType.BF16 or DType.F32
            ? new TrainingLowering(graph, storage).Run()
            : throw new NotSupportedException($"training on a GPU: expected a storage type of {DType.BF16} or {DType.F32}, found {storage}, whose range is too small for gradients");
    }

    private ComputeGraph Run()
    {
        foreach (Operation operation in source.Operations)
            Lower(operation);
        return source with { Tensors = [.. tensors], Operations = [.. operations] };
    }

    private void Lower(Operation operation)
    {
        switch (operation)
        {
            case LinearOp op: Linear(op); break;
            case LinearInputGradientOp op:
                Product(ProductForm.InputGradient, op.Gradient, Matrix(op.Weight, op.Output), op.Output, op.Scale, addend: op.Addend, visualRow: op.VisualRow);
                break;
            case LinearWeightGradientOp op:
                Product(ProductForm.WeightGradient, op.Gradient, op.Input, op.Output, op.Scale, visualRow: op.VisualRow, accumulates: true);
                break;
            case RowSumGradientOp op: operations.Add(new ColumnSumsOp(op.Gradient, null, null, op.Period, op.Output)); break;
            case NormWeightGradientOp op:
                Tensor moments = Temporary(op, ".moments", source[op.Input].Rows, source[op.Input].Shape[0], 2);
                operations.Add(new RowMomentsOp(op.Input, op.Epsilon, op.Centred, moments));
                operations.Add(new ColumnSumsOp(op.Gradient, op.Input, moments, 1, op.Output));
                break;
            case ActivationOp op: Pointwise(op.Activation == Activation.Gelu ? PointwiseFunction.Gelu : PointwiseFunction.QuickGelu, op.Output, op.Input); break;
            case ActivationGradientOp op:
                Pointwise(op.Activation == Activation.Gelu ? PointwiseFunction.GeluGradient : PointwiseFunction.QuickGeluGradient, op.Output, op.Gradient, op.Input);
                break;
            case SiluProductOp op: Pointwise(PointwiseFunction.SiluProduct, op.Output, op.Gate, op.Up); break;
            case SiluProductGradientOp { Up: null } op: Pointwise(PointwiseFunction.SiluUpGradient, op.Output, op.Gradient, op.Gate); break;
            case SiluProductGradientOp op: Pointwise(PointwiseFunction.SiluGateGradient, op.Output, op.Gradient, op.Gate, op.Up); break;
            case AddOp { Left: { } left } op: Pointwise(PointwiseFunction.ScaledSum, op.Output, left, op.Right, scale: op.Scale); break;
            case AddOp op: Pointwise(PointwiseFunction.Scale, op.Output, op.Right, scale: op.Scale); break;
            case DropoutOp op: operations.Add(new PointwiseOp(PointwiseFunction.Dropout, op.Input, null, null, op.Seed, op.Rate, op.Stream, op.Output)); break;
            case CausalAttentionOp op:
                operations.Add(new AttentionRowsOp(op.Packed, null, null, op.Starts, null, new TrainedAttention(op.Geometry, 0), storage, op.Output));
                break;
            case VisionAttentionOp op:
                operations.Add(new AttentionRowsOp(op.Query, op.Key, op.Value, null, null, WithinPictures(op.Query, op.Heads, op.TokensPerImage), storage, op.Output));
                break;
            case CausalAttentionGradientOp op: Attention(op, op.Packed, null, null, op.Starts, op.Gradient, new TrainedAttention(op.Geometry, 0)); break;
            case VisionAttentionGradientOp op:
                Attention(op, op.Query, op.Key, op.Value, null, op.Gradient, WithinPictures(op.Query, op.Heads, op.TokensPerImage));
                break;
            case SliceColumnsOp op: operations.Add(new RearrangeOp(Rearrangement.SliceColumns, op.Input, op.First, 0, 0, op.Output)); break;
            case SelectPatchesGradientOp op: operations.Add(new RearrangeOp(Rearrangement.InsertClassTokens, op.Gradient, 0, op.TokensPerImage, 0, op.Output)); break;
            case PatchWeightGradientOp op: PatchWeight(op); break;
            case TokenLossOp op: Losses(TokenLossFunction.Loss, op, op.Input, op.Head, op.Targets); break;
            case TokenScoresOp op: Losses(TokenLossFunction.Score, op, op.Input, op.Head, op.Targets); break;
            case TokenLossGradientOp op: LossGradient(op); break;
            default: operations.Add(operation); break;
        }
    }

    // The result of Partial LoRA is added to that of the linear, on visual rows.
    private void Linear(LinearOp op)
    {
        if (op.Activation != Activation.None)
            throw new NotSupportedException($"graph '{source.Name}', linear '{source[op.Output].Name}': expected no activation in a training graph, found {op.Activation}");
        Tensor x = op.Input, weight = Matrix(op.Weight, op.Output), y = op.Output;
        Product(ProductForm.Linear, x, weight, y, 1, op.Bias, op.Residual);
        if (op.Lora is not { } lora)
            return;
        Tensor down = Temporary(op, ".lora", source[op.Output].Rows, source[op.Output].Shape[0], source[lora.A.Elements].Shape[0]), visualRow = op.VisualRow!.Value;
        Product(ProductForm.Linear, x, Matrix(lora.A, op.Output), down, 1, visualRow: visualRow);
        Product(ProductForm.Linear, down, Matrix(lora.B, op.Output), y, lora.Scale, visualRow: visualRow, accumulates: true);
    }

    private void Attention(Operation op, Tensor query, Tensor? key, Tensor? value, Tensor? starts, Tensor gradient, TrainedAttention attention)
    {
        if (attention.Geometry.HeadSize is var size && (size % 16 != 0 || size > 128))
            throw new NotSupportedException($"graph '{source.Name}', {op.Name} '{source[op.Output].Name}': expected heads of a multiple of 16 and at most 128 elements on a GPU, found {size}");
        TensorSpec rows = source[op.Output];
        var statistics = new AttentionRowsOp(
            query, key, value, starts, gradient, attention, storage, Temporary(op, ".statistics", rows.Rows, rows.Shape[0], 2 * attention.Geometry.QueryHeads));
        operations.Add(statistics);
        operations.Add(new AttentionGradientOp(statistics, op.Output));
    }

    private TrainedAttention WithinPictures(Tensor query, int heads, int tokens) => new(new AttentionGeometry(heads, heads, source[query].Shape[1] / heads), tokens);

    private void PatchWeight(PatchWeightGradientOp op)
    {
        TensorSpec gradient = source[op.Gradient], weight = source[op.Output], pixels = source[op.Pixels];
        int side = pixels.Shape[3] / weight.Shape[3], tokens = (side * side) + 1;
        Tensor columns = Temporary(op, ".columns", gradient.Rows, gradient.Shape[0], weight.RowElements);
        operations.Add(new RearrangeOp(Rearrangement.PatchColumns, op.Pixels, 0, tokens, weight.Shape[3], columns));
        Product(ProductForm.WeightGradient, op.Gradient, columns, op.Output, 1, accumulates: true);
    }

    private void Losses(TokenLossFunction function, Operation op, Tensor input, LinearWeight weight, Tensor targets)
    {
        Tensor head = Matrix(weight, op.Output);
        foreach (RowPiece piece in Pieces(input))
            operations.Add(new PieceLossOp(function, Logits(op, input, head, piece), targets, null, piece, op.Output));
    }

    private void LossGradient(TokenLossGradientOp op)
    {
        Tensor head = Matrix(op.Head, op.Output), result = op.Output;
        foreach (RowPiece piece in Pieces(op.Input))
        {
            Tensor logits = Logits(op, op.Input, head, piece), slopes = PieceOf(op, ".slopes", head, piece);
            operations.Add(new PieceLossOp(TokenLossFunction.Gradient, logits, op.Targets, op.Gradient, piece, slopes));
            if (op.ByHead)
                Product(ProductForm.WeightGradient, slopes, op.Input, result, 1, accumulates: true, piece: piece);
            else
                Product(ProductForm.InputGradient, slopes, head, result, 1, piece: piece);
        }
    }

    private Tensor Logits(Operation op, Tensor input, Tensor head, RowPiece piece)
    {
        Tensor logits = PieceOf(op, ".logits", head, piece);
        Product(ProductForm.Linear, input, head, logits, 1, piece: piece);
        return logits;
    }

    private Tensor PieceOf(Operation op, string suffix, Tensor head, RowPiece piece) => Temporary(op, $"{suffix}.{piece.First}", RowExtent.Fixed(piece.Rows), piece.Rows, tensors[head.Index].Shape[0]);

    private IEnumerable<RowPiece> Pieces(Tensor input)
    {
        int rows = source[input].Shape[0];
        for (int first = 0; first < rows; first += PieceRows)
            yield return new RowPiece(first, Math.Min(PieceRows, rows - first));
    }

    private void Product(
        ProductForm form, Tensor left, Tensor right, Tensor output, float scale, Tensor? bias = null, Tensor? addend = null, Tensor? visualRow = null, bool accumulates = false, RowPiece? piece = null) =>
        operations.Add(new MatrixProductOp(form, storage, left, right, bias, addend, visualRow, scale, accumulates, output, piece));

    private void Pointwise(PointwiseFunction function, Tensor output, Tensor a, Tensor? b = null, Tensor? c = null, float scale = 1) =>
        operations.Add(new PointwiseOp(function, a, b, c, null, scale, 0, output));

    /// <summary>A weight as products read it: as it is, or as a panel, which an operation before it makes.</summary>
    private Tensor Matrix(LinearWeight weight, Tensor output)
    {
        if (weight.Format.IsFloat)
            return weight.Elements;
        TensorSpec spec = source[weight.Elements];
        if (!DeviceWeights.Has(weight.Format))
            throw new GraphException($"graph '{source.Name}', weight '{spec.Name}': the GPU has no kernel for weights of {weight.Format}");
        DeviceWeights device = DeviceWeights.Of(weight.Format);
        if (spec.Shape[1] % device.ColumnMultiple != 0 || spec.Shape[0] % device.RowMultiple != 0)
            throw new GraphException($"weight '{spec.Name}': expected a multiple of {device.RowMultiple} rows of a multiple of {device.ColumnMultiple} elements on a GPU, found {spec.Type} {spec.Shape}");
        Tensor panel = Add(new TensorSpec(Named($"{source[output].Name}.{spec.Name}.panel"), storage, spec.Shape, RowExtent.Fixed(spec.Shape[0]), TensorRole.Temporary));
        operations.Add(new DequantizeOp(new PlainWeight(spec.Name), weight.Format, storage, panel));
        return panel;
    }

    private Tensor Temporary(Operation op, string suffix, RowExtent rows, int capacity, int columns) =>
        Add(new TensorSpec(Named(source[op.Output].Name + suffix), DType.F32, new Shape(capacity, columns), rows, TensorRole.Temporary));

    // Several operations add to one gradient; their temporaries are told apart by their places.
    private string Named(string name) => FormattableString.Invariant($"{name}.{tensors.Count}");

    // Trained weights are F32 in the graph and stay it; vectors are little.
    private TensorSpec OnDevice(TensorSpec weight, bool isFloat) => weight with { Type = !weight.Type.IsFloat() ? weight.Type : isFloat || weight.Type == DType.F32 || weight.Shape.Rank == 1 ? DType.F32 : storage };

    private Tensor Add(TensorSpec spec)
    {
        tensors.Add(spec);
        return new Tensor(tensors.Count - 1);
    }
}
