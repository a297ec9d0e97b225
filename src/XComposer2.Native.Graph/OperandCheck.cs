using System.Collections.Immutable;

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

    /// <summary>A linear's weight [out, in] with the parts that its format states, and no others.</summary>
    /// <returns>The elements.</returns>
    public TensorSpec LinearWeight(LinearWeight weight, string operand)
    {
        ArgumentNullException.ThrowIfNull(weight);
        WeightFormat format = weight.Format;
        TensorSpec elements = format.IsFloat ? Weight(weight.Elements, operand, 2) : StoredWeight(weight.Elements, operand, 2);
        ImmutableArray<WeightPartSpec> parts;
        try
        {
            parts = format.Parts(elements.Shape);
        }
        catch (ArgumentException refused)
        {
            throw new GraphException($"{Place}: {operand} '{elements.Name}': {refused.Message}", refused);
        }

        for (WeightPart part = WeightPart.Elements; part <= WeightPart.GroupIndex; part++)
        {
            string place = part == WeightPart.Elements ? operand : $"{operand}.{part}";
            Tensor? tensor = weight[part];
            int index = IndexOf(parts, part);
            if (index >= 0 != tensor is not null)
                Require(false, place, $"{(index >= 0 ? "a tensor" : "none")}, because the format is {format}", tensor is null ? "none" : "one");
            if (tensor is not { } present)
                continue;
            TensorSpec spec = StoredWeight(present, place, parts[index].Shape.Rank);
            if (spec.Type != parts[index].Type)
                throw Failure(place, spec, $"{parts[index].Type} for {format}", spec.Type.ToString());
            SameShape(place, spec, parts[index].Shape);
        }

        return elements;
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
        TensorSpec a = LinearWeight(lora.A, operand + ".A");
        SameShape(operand + ".A", a, new Shape(a.Shape[0], columns));
        SameShape(operand + ".B", LinearWeight(lora.B, operand + ".B"), new Shape(outputs, a.Shape[0]));
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

    private static int IndexOf(ImmutableArray<WeightPartSpec> parts, WeightPart part)
    {
        for (int i = 0; i < parts.Length; i++)
            if (parts[i].Part == part)
                return i;
        return -1;
    }

    private static string Describe(RowExtent rows) => rows.Symbol == RowSymbol.Fixed ? $"{rows.PerUnit}" : $"{rows.Symbol} x {rows.PerUnit}";
}
