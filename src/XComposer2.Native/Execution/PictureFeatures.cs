namespace XComposer2.Native;

/// <summary>One vector for a whole picture.</summary>
internal static class PictureFeatures
{
    /// <summary>A picture is told apart also by where in it things are: in which of two times two parts.</summary>
    private const int PartsOfSide = 2;

    /// <summary>Means of the rows of each quarter of the picture, one behind the other, scaled to unit length together.</summary>
    /// <param name="rows">[grid x grid, hidden].</param>
    /// <param name="grid">Rows of a picture's side.</param>
    /// <returns>[4 x hidden].</returns>
    public static float[] Pool(ReadOnlySpan<float> rows, int grid)
    {
        int hidden = rows.Length / (grid * grid);
        float[] pooled = new float[PartsOfSide * PartsOfSide * hidden];
        int[] counts = new int[PartsOfSide * PartsOfSide];
        for (int y = 0; y < grid; y++)
            for (int x = 0; x < grid; x++)
            {
                int part = (y * PartsOfSide / grid * PartsOfSide) + (x * PartsOfSide / grid);
                counts[part]++;
                Add(pooled.AsSpan(part * hidden, hidden), rows.Slice(((y * grid) + x) * hidden, hidden));
            }

        double squares = 0;
        for (int index = 0; index < pooled.Length; index++)
        {
            pooled[index] /= Math.Max(1, counts[index / hidden]);
            squares += (double)pooled[index] * pooled[index];
        }

        float scale = squares > 0 ? (float)(1 / Math.Sqrt(squares)) : 0;
        for (int index = 0; index < pooled.Length; index++)
            pooled[index] *= scale;
        return pooled;
    }

    private static void Add(Span<float> sums, ReadOnlySpan<float> row)
    {
        for (int index = 0; index < row.Length; index++)
            sums[index] += row[index];
    }
}
