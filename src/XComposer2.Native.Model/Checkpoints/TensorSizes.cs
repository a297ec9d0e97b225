using System.Text;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>Sizes read from a file, checked before anything is computed from them.</summary>
internal ref struct TensorSizes
{
    public const int MaximumRank = 8;

    private Sizes sizes;

    public int Rank { get; private set; }

    /// <summary>Appends a size; false when it is negative, over 2^31 - 1, or one too many.</summary>
    public bool TryAdd(long size)
    {
        if (size is < 0 or > int.MaxValue || Rank == MaximumRank)
            return false;
        sizes[Rank++] = (int)size;
        return true;
    }

    /// <summary>Elements x <paramref name="elementBytes"/>; false if this exceeds 63 bits, also without the sizes that are 0, so that
    /// multiplying the sizes in order does not overflow.</summary>
    public readonly bool TryCountBytes(int elementBytes, out long bytes)
    {
        Int128 product = elementBytes;
        bool empty = false;
        for (int i = 0; i < Rank; i++)
        {
            empty |= sizes[i] == 0;
            product = sizes[i] == 0 || product > long.MaxValue ? product : product * sizes[i];
        }
        bytes = empty ? 0 : (long)Int128.Min(product, long.MaxValue);
        return product <= long.MaxValue;
    }

    public readonly Shape ToShape()
    {
        ReadOnlySpan<int> all = sizes;
        return new Shape(all[..Rank]);
    }

    public override readonly string ToString()
    {
        StringBuilder text = new("[");
        for (int i = 0; i < Rank; i++)
            text.Append(i == 0 ? "" : ", ").Append(sizes[i]);
        return text.Append(']').ToString();
    }

    [System.Runtime.CompilerServices.InlineArray(MaximumRank)]
    private struct Sizes
    {
        private int first;
    }
}
