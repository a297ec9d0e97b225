using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Sizes of a dense row-major tensor, outermost first. A scalar has rank 0 and one element.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    private readonly ImmutableArray<int> sizes;

    /// <exception cref="ArgumentOutOfRangeException">A size is negative.</exception>
    public Shape(params ReadOnlySpan<int> sizes)
    {
        foreach (int size in sizes)
            ArgumentOutOfRangeException.ThrowIfNegative(size);
        this.sizes = [.. sizes];
    }

    public int Rank => sizes.IsDefault ? 0 : sizes.Length;

    public int this[int dimension] => sizes[dimension];

    /// <summary>Product of all sizes.</summary>
    /// <exception cref="OverflowException">The product does not fit 64 bits.</exception>
    public long ElementCount
    {
        get
        {
            long count = 1;
            for (int i = 0; i < Rank; i++)
                count = checked(count * sizes[i]);
            return count;
        }
    }

    public ReadOnlySpan<int> AsSpan() => sizes.IsDefault ? [] : sizes.AsSpan();

    /// <summary>The same shape with another outermost size.</summary>
    public Shape WithLeading(int size)
    {
        int[] copy = AsSpan().ToArray();
        copy[0] = size;
        return new Shape(copy);
    }

    public bool Equals(Shape other) => AsSpan().SequenceEqual(other.AsSpan());

    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (int size in AsSpan())
            hash.Add(size);
        return hash.ToHashCode();
    }

    /// <summary>For example <c>[92544, 4096]</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", AsSpan().ToArray())}]";

    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);
}

/// <summary>Leading size = count of <paramref name="Symbol"/> x <paramref name="PerUnit"/>; for <see cref="RowSymbol.Fixed"/> just <paramref name="PerUnit"/>.</summary>
public readonly record struct RowExtent(RowSymbol Symbol, int PerUnit)
{
    public static RowExtent Tokens => new(RowSymbol.Tokens, 1);

    public static RowExtent Logits => new(RowSymbol.Logits, 1);

    public static RowExtent Fixed(int size) => new(RowSymbol.Fixed, size);

    public static RowExtent Images(int rowsPerImage) => new(RowSymbol.Images, rowsPerImage);
}

/// <summary>What a tensor's leading size counts. A plan is made for a capacity of each symbol and run with any smaller count.</summary>
public enum RowSymbol : byte
{
    /// <summary>The leading size is a constant.</summary>
    Fixed,

    /// <summary>Positions of the step: prompt tokens and visual rows in prefill, sequences in decode.</summary>
    Tokens,

    /// <summary>Positions whose logits are wanted.</summary>
    Logits,

    /// <summary>Pictures.</summary>
    Images,
}

/// <summary>A count for each <see cref="RowSymbol"/>: capacities when planning, actual counts when running.</summary>
public readonly record struct RowCounts(int Tokens, int Logits, int Images)
{
    /// <summary>Whether each count is at most the other's.</summary>
    public bool Fits(RowCounts capacity) => Tokens <= capacity.Tokens && Logits <= capacity.Logits && Images <= capacity.Images;

    /// <summary>The counts of both together.</summary>
    public static RowCounts operator +(RowCounts left, RowCounts right) =>
        new(checked(left.Tokens + right.Tokens), checked(left.Logits + right.Logits), checked(left.Images + right.Images));

    /// <summary>Rows of a tensor with this extent.</summary>
    public int Resolve(RowExtent extent) => extent.Symbol switch
    {
        RowSymbol.Tokens => checked(Tokens * extent.PerUnit),
        RowSymbol.Logits => checked(Logits * extent.PerUnit),
        RowSymbol.Images => checked(Images * extent.PerUnit),
        _ => extent.PerUnit,
    };
}
