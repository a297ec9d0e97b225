using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>Attention of one query in double precision, and error bounds for a kernel's result.</summary>
/// <remarks>
/// A score is a sum of d products, with an error e of <see cref="ProductSum.Bound"/>. Its power of two adds 2^-22
/// (special function unit) and the rounding of the exponent. An error w e of a weight w moves the result by w e (v - y). Weights are rounded once to
/// the storage type, relative to the largest: a total error of at most u sum(w |v|), and rarely more than 2.5 u of the root of the sum of squares.
/// Below its normal range f16 rounds to a multiple of 2^-24.
/// </remarks>
internal sealed class AttentionReference(int headSize, DType storage)
{
    private const double Deviations = 2.5, SpecialFunction = 1.0 / (1 << 22), SmallestF16 = 1.0 / (1 << 25);

    private readonly List<double> expected = [];
    private readonly List<double> bounds = [];

    public ReadOnlySpan<double> Expected => expected.ToArray();

    public ReadOnlySpan<double> Bounds => bounds.ToArray();

    /// <summary>Adds headSize reference results.</summary>
    /// <param name="query">[headSize].</param>
    /// <param name="count">Number of keys visible to the query.</param>
    /// <param name="key">Returns the key at an index.</param>
    /// <param name="value">Returns the value at an index.</param>
    public void Add(ReadOnlySpan<float> query, int count, Func<int, ArraySegment<float>> key, Func<int, ArraySegment<float>> value)
    {
        double scale = 1 / Math.Sqrt(headSize);
        double[] weights = new double[count], errors = new double[count];
        double greatest = double.NegativeInfinity;
        for (int j = 0; j < count; j++)
        {
            ArraySegment<float> row = key(j);
            ProductSum sum = default;
            for (int i = 0; i < headSize; i++)
                sum.Add((double)query[i] * row[i]);
            weights[j] = sum.Value * scale;
            errors[j] = double.IsFinite(sum.Magnitude) ? (sum.Bound(storage) * scale) + SpecialFunction : 0;
            greatest = Math.Max(greatest, weights[j]);
        }
        double total = 0;
        for (int j = 0; j < count; j++)
        {
            errors[j] += double.IsFinite(weights[j]) ? SpecialFunction * (greatest - weights[j]) : 0;
            total += weights[j] = Math.Exp(weights[j] - greatest);
        }
        for (int i = 0; i < headSize; i++)
            AddColumn(i, weights, errors, total, value);
    }

    private void AddColumn(int column, double[] weights, double[] errors, double total, Func<int, ArraySegment<float>> value)
    {
        double magnitudes = 0, valueSquares = 0;
        ProductSum products = default;
        for (int j = 0; j < weights.Length; j++)
        {
            double product = weights[j] / total * value(j)[column];
            products.Add(product);
            magnitudes += Math.Abs(product);
            valueSquares += (double)value(j)[column] * value(j)[column];
        }
        double sum = products.Value, moved = 0;
        for (int j = 0; j < weights.Length; j++)
        {
            double move = weights[j] / total * errors[j] * (value(j)[column] - sum);
            moved += move * move;
        }
        double unit = Accuracy.Rounding(storage);
        double bound = (unit * (Math.Abs(sum) + Math.Min(magnitudes, Deviations * products.Magnitude))) + Math.Sqrt(moved)
            + products.Bound(storage) + (SpecialFunction * products.Magnitude);
        if (storage == DType.F16) bound += SmallestF16 * (1 + (Deviations * Math.Sqrt(valueSquares) / total));
        expected.Add(sum);
        bounds.Add(bound);
    }
}
