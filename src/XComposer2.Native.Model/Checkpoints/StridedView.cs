namespace XComposer2.Native.Model;

/// <summary>A tensor whose elements do not lie in order, for example a transposed one: it is copied into order when it is asked for.</summary>
/// <param name="Sizes">Of each dimension, none of them 0.</param>
/// <param name="Strides">Elements between two neighbours of each dimension; not negative.</param>
internal sealed record StridedView(long[] Sizes, long[] Strides)
{
    /// <summary>Elements from the first to the last one, both included; null where that exceeds 63 bits.</summary>
    public long? SpanElements
    {
        get
        {
            Int128 span = 1;
            for (int i = 0; i < Sizes.Length; i++)
            {
                span += (Int128)(Sizes[i] - 1) * Strides[i];
                if (span > long.MaxValue)
                    return null;
            }
            return (long)span;
        }
    }

    /// <summary>Copies all elements in row-major order.</summary>
    /// <param name="source">The first element.</param>
    /// <param name="target">Room for all.</param>
    /// <param name="elementBytes">1, 2, 4 or 8.</param>
    public unsafe void CopyTo(nint source, nint target, int elementBytes)
    {
        switch (elementBytes)
        {
            case 1: Copy((byte*)source, (byte*)target); break;
            case 2: Copy((ushort*)source, (ushort*)target); break;
            case 4: Copy((uint*)source, (uint*)target); break;
            case 8: Copy((ulong*)source, (ulong*)target); break;
            default: throw new ArgumentOutOfRangeException(nameof(elementBytes), elementBytes, "expected 1, 2, 4 or 8");
        }
    }

    private unsafe void Copy<T>(T* source, T* target)
        where T : unmanaged
    {
        int last = Sizes.Length - 1;
        Span<long> index = stackalloc long[TensorSizes.MaximumRank];
        for (long offset = 0; ;)
        {
            for (long i = 0; i < Sizes[last]; i++)
                *target++ = source[offset + (i * Strides[last])];
            int dimension = last - 1;
            for (; dimension >= 0; dimension--)
            {
                offset += Strides[dimension];
                if (++index[dimension] < Sizes[dimension])
                    break;
                offset -= Strides[dimension] * Sizes[dimension];
                index[dimension] = 0;
            }
            if (dimension < 0)
                return;
        }
    }
}
