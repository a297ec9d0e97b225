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
