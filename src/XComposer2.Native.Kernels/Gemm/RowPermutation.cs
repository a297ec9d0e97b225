using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>In which order rows of weights lie on the device, so that what an epilogue combines meets in one lane: eight rows, then their eight partners.
/// Each function gives, for a row on the device, the row that stands there. Biases, scales and Partial LoRA's B follow the weights.</summary>
public static class RowPermutation
{
    private const int Turn = 8;

    /// <summary>Gate and up in turns.</summary>
    /// <param name="row">On the device, in [0, 2 x channels).</param>
    /// <param name="channels">Rows of the gate: a multiple of 8.</param>
    /// <returns>A row of the gate and up one below the other: at least <paramref name="channels"/> for up.</returns>
    public static int GateUp(int row, int channels)
    {
        if (channels < Turn || channels % Turn != 0)
            throw new ArgumentOutOfRangeException(nameof(channels), channels, "expected a multiple of 8");
        if ((uint)row >= 2u * (uint)channels)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"there are {2L * channels} rows");
        return TakeTurns(row, channels);
    }

    /// <summary>The packed projection: halves of each query and key head in turns, values as they are.</summary>
    /// <param name="row">On the device, in [0, packed columns).</param>
    /// <param name="heads">Of the projection; heads of a multiple of 16 rows.</param>
    /// <returns>A row of the model's projection.</returns>
    public static int Rope(int row, AttentionGeometry heads)
    {
        if (heads.HeadSize < 2 * Turn || heads.HeadSize % (2 * Turn) != 0)
            throw new ArgumentOutOfRangeException(nameof(heads), heads, "expected heads of a multiple of 16 rows");
        if ((uint)row >= (uint)heads.PackedColumns)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"there are {heads.PackedColumns} rows");
        int head = row / heads.HeadSize;
        bool isValue = head % (heads.GroupSize + 2) == heads.GroupSize + 1;
        return isValue ? row : (head * heads.HeadSize) + TakeTurns(row % heads.HeadSize, heads.HeadSize / 2);
    }

    // Rows 8j to 8j + 7 of the first half, then of the second.
    private static int TakeTurns(int row, int half) => (row / (2 * Turn) * Turn) + (row % Turn) + (row % (2 * Turn) < Turn ? 0 : half);
}
