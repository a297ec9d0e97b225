namespace XComposer2.Native.Graph;

/// <summary>
/// How keys and values are stored in the paged cache, whatever the type of the queries. Integers have one F32 scale a token and head, of its keys and of its values:
/// scale = max |x| / 127, rounded to nearest even.
/// </summary>
/// <remarks>In a page, each head of a layer is elements [64, d], then, of integers, scales [64].</remarks>
public readonly record struct CacheFormat
{
    private CacheFormat(DType elements) => Elements = elements;

    public static CacheFormat F32 => new(DType.F32);

    public static CacheFormat F16 => new(DType.F16);

    public static CacheFormat BF16 => new(DType.BF16);

    /// <summary>Integers of -127 to 127.</summary>
    public static CacheFormat Int8 => new(DType.I8);

    public DType Elements { get; }

    public bool HasScales => !Elements.IsFloat();

    /// <summary>The format of this element type.</summary>
    /// <exception cref="ArgumentException">No format has it.</exception>
    public static CacheFormat Of(DType elements) => elements.IsFloat() || elements == DType.I8
        ? new CacheFormat(elements)
        : throw new ArgumentException($"expected a floating type or I8, found {elements}", nameof(elements));

    /// <summary>Bytes of one token's keys (or values) of one head, its scale included.</summary>
    public long HeadBytes(int headSize) => checked(Elements.Bytes(headSize) + (HasScales ? sizeof(float) : 0));

    /// <summary>The element type's name.</summary>
    public override string ToString() => Elements.ToString();
}
