using XComposer2.Native.Graph;

namespace XComposer2.Native.GpuTests;

/// <summary>A sum of products as a kernel forms it, in double precision, with what its error depends on.</summary>
public struct ProductSum
{
    private int terms;
    private double squares, greatest, least;

    /// <summary>So far.</summary>
    public double Value { get; private set; }

    /// <summary>Root of the sum of the terms' squares: the magnitude they have together where signs are random.</summary>
    public readonly double Magnitude => Math.Sqrt(squares);

    public void Add(double term)
    {
        terms++;
        Value += term;
        squares += term * term;
        (greatest, least) = (Math.Max(greatest, Value), Math.Min(least, Value));
    }

    /// <summary>Multiplies all terms so far.</summary>
    public void Scale(double factor)
    {
        Value *= factor;
        squares *= factor * factor;
        (greatest, least) = factor < 0 ? (least * factor, greatest * factor) : (greatest * factor, least * factor);
    }

    /// <summary>How far a kernel's sum may be from <see cref="Value"/> before it is stored: see <see cref="Accuracy"/>.</summary>
    public readonly double Bound(DType storage) =>
        (Accuracy.Summation(terms) * Magnitude) + (Accuracy.Truncation(terms, storage) * (greatest - least));
}

/// <summary>What is lost where products are added sixteen at a time in F16, twice, and the sum goes on in F32: a unit in the last place of each partial sum at most, 2^-10 of it or
/// 2^-24, where it is truncated. Partial sums have random signs, and so have their losses, which are uniform: four times their deviation, 4 / sqrt(3) of the root of the sum of squares.</summary>
public struct HalfSumErrors
{
    private const int AtOnce = 16, Products = 32;

    private double partial, squares, smallest;

    /// <summary>How far the sum may be off.</summary>
    public readonly double Bound => (4 / Math.Sqrt(3) * Math.Sqrt(squares) / (1 << 10)) + smallest;

    /// <param name="place">Of the product in its slice of K.</param>
    /// <param name="term">The product.</param>
    public void Add(int place, double term)
    {
        partial += term;
        if (place % AtOnce == AtOnce - 1)
            Round();
        if (place % Products == Products - 1)
            partial = 0;
    }

    /// <summary>What is left of the last 32 is rounded, too.</summary>
    public void EndSlice()
    {
        Round();
        partial = 0;
    }

    private void Round()
    {
        squares += partial * partial;
        smallest += 1.0 / (1 << 24);
    }
}
