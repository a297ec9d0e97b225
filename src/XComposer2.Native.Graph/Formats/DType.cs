namespace XComposer2.Native.Graph;

/// <summary>Element type of a tensor, as stored. Arithmetic on all floating types accumulates in <see cref="F32"/>.</summary>
/// <remarks>Elements of less than a byte are packed from the lowest bits of a byte upwards, without gaps; every row of a matrix of them begins with a byte.</remarks>
public enum DType : byte
{
    F32,
    F16,
    BF16,
    I64,
    I32,
    I8,
    U8,

    /// <summary>-8 to 7, in two's complement.</summary>
    I4,

    /// <summary>0 to 15.</summary>
    U4,
}

public static class DTypeExtensions
{
    private const int ByteBits = 8;

    /// <summary>Bits of one element.</summary>
    public static int ElementBits(this DType type) => type switch
    {
        DType.I64 => 64,
        DType.F32 or DType.I32 => 32,
        DType.F16 or DType.BF16 => 16,
        DType.I8 or DType.U8 => ByteBits,
        DType.I4 or DType.U4 => 4,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a DType"),
    };

    /// <summary>Bytes of one element.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Several elements share a byte: use <see cref="Bytes"/>.</exception>
    public static int ElementBytes(this DType type)
    {
        int bits = type.ElementBits();
        return bits % ByteBits == 0 ? bits / ByteBits : throw new ArgumentOutOfRangeException(nameof(type), type, "an element is less than a byte");
    }

    /// <summary>Bytes of so many elements in a row, rounded up.</summary>
    /// <exception cref="OverflowException">Beyond 63 bits.</exception>
    public static long Bytes(this DType type, long elements)
    {
        int bits = type.ElementBits();
        return bits >= ByteBits ? checked(elements * (bits / ByteBits)) : (elements / (ByteBits / bits)) + (elements % (ByteBits / bits) == 0 ? 0 : 1);
    }

    public static bool IsFloat(this DType type) => type is DType.F32 or DType.F16 or DType.BF16;

    /// <summary>Integers without a sign, which a zero point is subtracted from.</summary>
    public static bool IsUnsigned(this DType type) => type is DType.U8 or DType.U4;
}
