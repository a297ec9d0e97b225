namespace XComposer2.Native.Graph;

/// <summary>Checks the operands of one operation under construction, so that each message names graph, operation, output, operand, expected and found.</summary>
internal readonly struct OperandCheck(GraphBuilder builder, string operation, string output)
{
    public string Output => output;

    /// <summary>An activation matrix [rows, columns] F32: an input or the result of an earlier operation.</summary>
    public TensorSpec Matrix(Tensor tensor, string operand) => Activation(tensor, operand, 2, DType.F32);

    /// <summary>An input or the result of an earlier operation, of this rank and type.</summary>
    public TensorSpec Activation(Tensor tensor, string operand, int rank, DType type)
    {
        TensorSpec spec = Known(tensor, operand);
        if (spec.Role == TensorRole.Weight)
            throw Failure(operand, spec, "an input or an earlier result", "a weight");
        if (spec.Shape.Rank != rank)
            throw Failure(operand, spec, $"rank {rank}", $"rank {spec.Shape.Rank}, shape {spec.Shape}");
        if (spec.Type != type)
            throw Failure(operand, spec, type.ToString(), spec.Type.ToString());
        return spec;
    }

    /// <summary>A weight of any floating type and this rank.</summary>
    public TensorSpec Weight(Tensor tensor, string operand, int rank)
    {
        TensorSpec spec = StoredWeight(tensor, operand, rank);
        return spec.Type.IsFloat() ? spec : throw Failure(operand, spec, "a floating type", spec.Type.ToString());
    }

    /// <summary>A linear's weight [out, in]: of a floating type, or I8 with a scale [out] F32.</summary>
    public TensorSpec LinearWeight(Tensor tensor, Tensor? scale, string operand)
    {
        if (scale is not { } scales)
            return Weight(tensor, operand, 2);
        TensorSpec spec = StoredWeight(tensor, operand, 2);
        if (spec.Type != DType.I8)
            throw Failure(operand, spec, "I8, because it has a scale", spec.Type.ToString());
        TensorSpec factors = Weight(scales, operand + "Scale", [spec.Shape[0]]);
        return factors.Type == DType.F32 ? spec : throw Failure(operand + "Scale", factors, "F32", factors.Type.ToString());
    }

    /// <summary>A weight of any floating type and exactly this shape.</summary>
    public TensorSpec Weight(Tensor tensor, string operand, params ReadOnlySpan<int> shape)
    {
        TensorSpec spec = Weight(tensor, operand, shape.Length);
        SameShape(operand, spec, new Shape(shape));
        return spec;
    }

    public void SameShape(string operand, TensorSpec spec, Shape expected)
    {
        if (spec.Shape != expected)
            throw Failure(operand, spec, $"shape {expected}", $"shape {spec.Shape}");
    }

    /// <summary>Equal capacities are not enough: rows that count other things differ in number as soon as the graph runs below capacity.</summary>
    public void SameRows(string operand, TensorSpec spec, RowExtent expected)
    {
        if (spec.Rows != expected)
            throw Failure(operand, spec, $"rows {Describe(expected)}", $"rows {Describe(spec.Rows)}");
    }

    /// <summary>Row indices [rows] I32, one for each row of the operation.</summary>
    public void RowIndices(Tensor tensor, string operand, RowExtent rows) =>
        SameRows(operand, Activation(tensor, operand, 1, DType.I32), rows);

    /// <summary>A [rank, columns], B [outputs, rank], and a finite scale.</summary>
    public void Lora(PartialLora? lora, string operand, int outputs, int columns)
    {
        if (lora is null)
            return;
        TensorSpec a = Weight(lora.A, operand + ".A", 2);
        SameShape(operand + ".A", a, new Shape(a.Shape[0], columns));
        Weight(lora.B, operand + ".B", outputs, a.Shape[0]);
        Require(float.IsFinite(lora.Scale), operand + ".Scale", "a finite number", lora.Scale);
    }

    public void Require<T>(bool holds, string operand, string expected, T found)
    {
        if (!holds)
            throw new GraphException(FormattableString.Invariant($"{Place}: {operand}: expected {expected}, found {found}"));
    }

    public GraphException Failure(string operand, TensorSpec spec, string expected, string found) =>
        new($"{Place}: {operand} '{spec.Name}': expected {expected}, found {found}");

    private TensorSpec StoredWeight(Tensor tensor, string operand, int rank)
    {
        TensorSpec spec = Known(tensor, operand);
        if (spec.Role != TensorRole.Weight)
            throw Failure(operand, spec, "a weight", $"a tensor of role {spec.Role}");
        if (spec.Shape.Rank != rank)
            throw Failure(operand, spec, $"rank {rank}", $"rank {spec.Shape.Rank}, shape {spec.Shape}");
        return spec;
    }

    private string Place => $"graph '{builder.Name}', {operation} '{output}'";

    private TensorSpec Known(Tensor tensor, string operand) =>
        builder.TryGet(tensor) ?? throw new GraphException($"{Place}: {operand}: handle {tensor.Index} is not a tensor of this graph");

    private static string Describe(RowExtent rows) => rows.Symbol == RowSymbol.Fixed ? $"{rows.PerUnit}" : $"{rows.Symbol} x {rows.PerUnit}";
}
