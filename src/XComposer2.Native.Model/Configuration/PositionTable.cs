namespace XComposer2.Native.Model;

/// <summary>Resizes a table of learned positions as torch's <c>interpolate(mode="bicubic", align_corners=False)</c> does: cubic convolution
/// with a = -0.75, edges repeated, no antialiasing.</summary>
public static class PositionTable
{
    private const double CubicA = -0.75;
    private const int Taps = 4;

    /// <summary>Row 0 (the class position) is kept; the others are a row-major square.</summary>
    /// <param name="table">[fromGrid² + 1, width].</param>
    /// <param name="width">Columns.</param>
    /// <param name="fromGrid">Side of the stored square.</param>
    /// <param name="toGrid">Side of the wanted square.</param>
    /// <returns>[toGrid² + 1, width].</returns>
    /// <exception cref="ArgumentException">The table has another length.</exception>
    public static float[] Resize(ReadOnlySpan<float> table, int width, int fromGrid, int toGrid)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fromGrid);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(toGrid);
        if (table.Length != (((long)fromGrid * fromGrid) + 1) * width)
            throw new ArgumentException($"a table of {fromGrid} x {fromGrid} + 1 rows of {width} has {(((long)fromGrid * fromGrid) + 1) * width} values, not {table.Length}", nameof(table));
        if (fromGrid == toGrid)
            return table.ToArray();

        (int[] indices, float[] weights) = MakeTaps(fromGrid, toGrid);
        float[] resized = new float[checked(((toGrid * toGrid) + 1) * width)];
        table[..width].CopyTo(resized);
        float[] row = new float[width];
        for (int y = 0; y < toGrid; y++)
        {
            for (int x = 0; x < toGrid; x++)
            {
                Span<float> target = resized.AsSpan(((y * toGrid) + x + 1) * width, width);
                for (int j = 0; j < Taps; j++)
                {
                    Array.Clear(row);
                    for (int i = 0; i < Taps; i++)
                        AddScaled(table.Slice(((indices[(y * Taps) + j] * fromGrid) + indices[(x * Taps) + i] + 1) * width, width), weights[(x * Taps) + i], row);
                    AddScaled(row, weights[(y * Taps) + j], target);
                }
            }
        }
        return resized;
    }

    private static void AddScaled(ReadOnlySpan<float> source, float weight, Span<float> target)
    {
        for (int i = 0; i < target.Length; i++)
            target[i] += source[i] * weight;
    }

    private static (int[] Indices, float[] Weights) MakeTaps(int from, int to)
    {
        int[] indices = new int[to * Taps];
        float[] weights = new float[to * Taps];
        double scale = (double)from / to;
        for (int position = 0; position < to; position++)
        {
            double source = ((position + 0.5) * scale) - 0.5;
            int first = (int)Math.Floor(source) - 1;
            for (int tap = 0; tap < Taps; tap++)
            {
                indices[(position * Taps) + tap] = Math.Clamp(first + tap, 0, from - 1);
                weights[(position * Taps) + tap] = (float)Cubic(Math.Abs(source - (first + tap)));
            }
        }
        return (indices, weights);
    }

    private static double Cubic(double distance) => distance switch
    {
        <= 1 => ((((CubicA + 2) * distance) - (CubicA + 3)) * distance * distance) + 1,
        < 2 => (((((distance - 5) * distance) + 8) * distance) - 4) * CubicA,
        _ => 0,
    };
}
