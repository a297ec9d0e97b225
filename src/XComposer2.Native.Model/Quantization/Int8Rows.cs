using System.Numerics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// A matrix of weights as 8-bit integers with one scale a row: w ≈ q · scale. Symmetric: scale = max |w| / 127, q = w / scale, rounded to nearest even and
/// kept within ±127. A row of zeros, or one so small that its scale is zero, is zeros with scale 0. The same bits
/// whatever the number of threads. Owns its memory.
/// </summary>
public sealed unsafe class Int8Rows : IQuantizedMatrix
{
    private const int Limit = 127;

    // Adding it leaves a number of less than 2^22 as an integer in the low bits of the sum, rounded to nearest even.
    private const float RoundingShift = 3 << 22;

    private const long ElementsOfChunk = 1 << 18;

    private readonly NativeBlock values, scales;

    private Int8Rows(int rows, int columns)
    {
        Shape = new Shape(rows, columns);
        values = new NativeBlock((long)rows * columns);
        try
        {
            scales = new NativeBlock((long)rows * sizeof(float));
        }
        catch
        {
            values.Dispose();
            throw;
        }
    }

    /// <summary>[rows, columns].</summary>
    public Shape Shape { get; }

    /// <summary>I8 [rows, columns].</summary>
    public HostTensor Values => new(values.Address, DType.I8, Shape);

    /// <summary>F32 [rows].</summary>
    public HostTensor Scales => new(scales.Address, DType.F32, new Shape(Shape[0]));

    public long TotalBytes => values.LengthBytes + scales.LengthBytes;

    public HostTensor this[WeightPart part] => part switch
    {
        WeightPart.Elements => Values,
        WeightPart.Scales => Scales,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, $"no part of {WeightFormat.Int8}"),
    };

    /// <param name="weights">[rows, columns] of a floating type.</param>
    /// <param name="name">For messages.</param>
    /// <param name="cancellation">Takes effect between chunks of rows.</param>
    /// <exception cref="ArgumentException">Not a matrix, or not of a floating type.</exception>
    /// <exception cref="InvalidDataException">A weight is NaN or infinite.</exception>
    /// <exception cref="InsufficientMemoryException">The system has no memory left.</exception>
    public static Int8Rows Quantize(HostTensor weights, string name, CancellationToken cancellation = default)
    {
        if (weights.Shape.Rank != 2 || !weights.Type.IsFloat())
            throw new ArgumentException($"{name}: expected a matrix of a floating type, found {weights.Type} {weights.Shape}", nameof(weights));
        int rows = weights.Shape[0], columns = weights.Shape[1];
        Int8Rows result = new(rows, columns);
        int rowsOfChunk = (int)Math.Clamp(ElementsOfChunk / Math.Max(columns, 1), 1, Math.Max(rows, 1));
        return ParallelQuantization.Fill(result, (rows + rowsOfChunk - 1) / rowsOfChunk, QuantizeChunk, cancellation);

        void QuantizeChunk(int chunk)
        {
            float[] row = new float[columns];
            int end = Math.Min(rows, (chunk + 1) * rowsOfChunk);
            for (int index = chunk * rowsOfChunk; index < end; index++)
                result.QuantizeRow(weights, name, index, row);
        }
    }

    public void Dispose()
    {
        values.Dispose();
        scales.Dispose();
    }

    private void QuantizeRow(HostTensor weights, string name, int index, Span<float> row)
    {
        int columns = row.Length;
        FloatWidening.Widen(weights, (long)index * columns, row);
        float largest = LargestMagnitude(row);
        if (!float.IsFinite(largest))
            throw new InvalidDataException($"{name}: expected finite weights, found {FirstNotFinite(row, out int column)} at [{index}, {column}]");
        float scale = largest / Limit;
        ((float*)scales.Address)[index] = scale;
        Span<sbyte> quantized = new((sbyte*)values.Address + ((long)index * columns), columns);
        if (scale == 0)
            quantized.Clear();
        else
            Round(row, scale, quantized);
    }

    /// <summary>NaN where one of them is.</summary>
    private static float LargestMagnitude(ReadOnlySpan<float> row)
    {
        Vector<float> largest = Vector<float>.Zero;
        int i = 0;
        for (; i <= row.Length - Vector<float>.Count; i += Vector<float>.Count)
            largest = Vector.Max(largest, Vector.Abs(new Vector<float>(row[i..])));
        float result = 0;
        for (int lane = 0; lane < Vector<float>.Count; lane++)
            result = Math.Max(result, largest[lane]);
        for (; i < row.Length; i++)
            result = Math.Max(result, Math.Abs(row[i]));
        return result;
    }

    private static float FirstNotFinite(ReadOnlySpan<float> row, out int column)
    {
        column = 0;
        while (float.IsFinite(row[column]))
            column++;
        return row[column];
    }

    private static void Round(ReadOnlySpan<float> row, float scale, Span<sbyte> quantized)
    {
        int i = 0;
        for (; i <= row.Length - Vector<sbyte>.Count; i += Vector<sbyte>.Count)
        {
            ReadOnlySpan<float> some = row.Slice(i, Vector<sbyte>.Count);
            Vector<short> low = Vector.Narrow(Steps(some, 0, scale), Steps(some, 1, scale)), high = Vector.Narrow(Steps(some, 2, scale), Steps(some, 3, scale));
            Vector.Narrow(low, high).CopyTo(quantized[i..]);
        }
        for (; i < row.Length; i++)
            quantized[i] = (sbyte)MathF.Round(Math.Clamp(row[i] / scale, -Limit, Limit), MidpointRounding.ToEven);
    }

    private static Vector<int> Steps(ReadOnlySpan<float> row, int vector, float scale)
    {
        Vector<float> most = new(Limit), shift = new(RoundingShift);
        Vector<float> steps = Vector.Min(Vector.Max(new Vector<float>(row[(vector * Vector<float>.Count)..]) / new Vector<float>(scale), -most), most);
        return Vector.AsVectorInt32(steps + shift) - Vector.AsVectorInt32(shift);
    }
}
