using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Which element reads a format: the one place that knows.</summary>
internal static class WeightElements
{
    /// <summary>Calls back with the format's element as a type, so that loops are compiled for it.</summary>
    /// <exception cref="NotSupportedException">The processor has no element for the format.</exception>
    public static void Select<TUse>(WeightFormat format, ref TUse use)
        where TUse : struct, IElementUse
    {
        switch (format.Elements)
        {
            case DType.F32: use.Stored<SingleElement>(); break;
            case DType.F16: use.Stored<HalfElement>(); break;
            case DType.BF16: use.Stored<BFloat16Element>(); break;
            case DType.I8 when format.HasRowScales: use.Stored<Int8Element>(); break;
            case DType.I8 or DType.I4: use.Widened<GroupedElement<SignedInteger>>(); break;
            case DType.U8 or DType.U4: use.Widened<GroupedElement<UnsignedInteger>>(); break;
            default: throw new NotSupportedException($"the processor has no kernel for weights of {format}");
        }
    }
}

/// <summary>What is to be done with an element that is known while compiling.</summary>
internal interface IElementUse
{
    /// <summary>Loaded vector by vector; a row's scale multiplies finished sums.</summary>
    void Stored<TElement>()
        where TElement : struct, IStoredElement;

    /// <summary>Made floats beforehand, a few rows and inputs at a time.</summary>
    void Widened<TElement>()
        where TElement : struct, IWidenedElement;
}

/// <summary>Elements that are made floats, with scales and zero points applied, before they are multiplied. Right for any format; the fast formats are
/// <see cref="IStoredElement"/>s. Implementations are empty structs.</summary>
internal unsafe interface IWidenedElement
{
    /// <summary>Writes weights [row, first .. first + count) as floats.</summary>
    static abstract void Widen(in WeightMatrix weights, int row, int first, int count, float* destination);
}

/// <summary>Packed integers of 8 bits or a part of them, with F16 scales for groups of columns: (q - zero) * scale, rounded once.</summary>
internal readonly unsafe struct GroupedElement<TInteger> : IWidenedElement
    where TInteger : struct, IPackedInteger
{
    public static void Widen(in WeightMatrix weights, int row, int first, int count, float* destination)
    {
        WeightFormat format = weights.Format;
        int bits = format.Elements.ElementBits(), groups = format.Groups(weights.Columns);
        byte* packed = (byte*)weights.Elements + (row * (nint)format.Elements.Bytes(weights.Columns));
        Half* scales = (Half*)weights.Scales + ((nint)row * groups);
        byte* zeros = weights.ZeroPoints == 0 ? null : (byte*)weights.ZeroPoints + ((nint)row * groups);
        int* index = (int*)weights.GroupIndex;
        int i = 0;
        while (i < count)
        {
            int group = (first + i) / format.GroupSize, end = Math.Min(count, ((group + 1) * format.GroupSize) - first);
            if (index is not null)
                (group, end) = (index[first + i], i + 1);
            float scale = (float)scales[group];
            int zero = zeros is null ? 0 : zeros[group];
            for (; i < end; i++)
            {
                int position = (first + i) * bits;
                destination[i] = (TInteger.Read(packed[position / 8] >> (position % 8), bits) - zero) * scale;
            }
        }
    }
}

/// <summary>What the lowest bits of a byte are.</summary>
internal interface IPackedInteger
{
    /// <param name="value">Higher bits are anything.</param>
    /// <param name="bits">1 to 8.</param>
    static abstract int Read(int value, int bits);
}

/// <summary>Two's complement.</summary>
internal readonly struct SignedInteger : IPackedInteger
{
    public static int Read(int value, int bits) => value << (32 - bits) >> (32 - bits);
}

/// <summary>From 0 on.</summary>
internal readonly struct UnsignedInteger : IPackedInteger
{
    public static int Read(int value, int bits) => value & ((1 << bits) - 1);
}
