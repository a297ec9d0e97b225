namespace XComposer2.Native.Model;

/// <summary>Layout of a non-contiguous tensor, such as a transposed one, which is copied on first use.</summary>
/// <param name="Sizes">Size of each dimension, at least 1.</param>
/// <param name="Strides">Distance of neighbours in each dimension, in elements; not negative.</param>
internal sealed record StridedView(long[] Sizes, long[] Strides)
{
    /// <summary>Elements from the first to the last one, inclusive; null if the number exceeds 63 bits.</summary>
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
    /// <param name="target">Memory for all elements.</param>
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
