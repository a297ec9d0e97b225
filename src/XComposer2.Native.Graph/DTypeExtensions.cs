namespace XComposer2.Native.Graph;

public static class DTypeExtensions
{
    /// <summary>Bytes of one element.</summary>
    public static int ElementBytes(this DType type) => type switch
    {
        DType.I64 => 8,
        DType.F32 or DType.I32 => 4,
        DType.F16 or DType.BF16 => 2,
        DType.I8 or DType.U8 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a DType"),
    };

    public static bool IsFloat(this DType type) => type is DType.F32 or DType.F16 or DType.BF16;
}
