namespace XComposer2.Native.Graph;

/// <summary>Leading size = count of <paramref name="Symbol"/> x <paramref name="PerUnit"/>; for <see cref="RowSymbol.Fixed"/> just <paramref name="PerUnit"/>.</summary>
public readonly record struct RowExtent(RowSymbol Symbol, int PerUnit)
{
    public static RowExtent Tokens => new(RowSymbol.Tokens, 1);

    public static RowExtent Logits => new(RowSymbol.Logits, 1);

    public static RowExtent Fixed(int size) => new(RowSymbol.Fixed, size);

    public static RowExtent Images(int rowsPerImage) => new(RowSymbol.Images, rowsPerImage);
}
