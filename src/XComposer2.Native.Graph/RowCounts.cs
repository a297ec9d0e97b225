namespace XComposer2.Native.Graph;

/// <summary>A count for each <see cref="RowSymbol"/>: capacities when planning, actual counts when running.</summary>
public readonly record struct RowCounts(int Tokens, int Logits, int Images)
{
    /// <summary>Rows of a tensor with this extent.</summary>
    public int Resolve(RowExtent extent) => extent.Symbol switch
    {
        RowSymbol.Tokens => checked(Tokens * extent.PerUnit),
        RowSymbol.Logits => checked(Logits * extent.PerUnit),
        RowSymbol.Images => checked(Images * extent.PerUnit),
        _ => extent.PerUnit,
    };
}
