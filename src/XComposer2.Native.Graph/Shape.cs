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
