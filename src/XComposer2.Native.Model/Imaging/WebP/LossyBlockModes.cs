namespace XComposer2.Native.Model;

/// <summary>Prediction modes of 4 x 4 blocks (RFC 6386 section 12.3).</summary>
internal static class LossyBlockModes
{
    /// <param name="mode">0 to 9.</param>
    /// <param name="unit">Work buffer with the neighbouring samples.</param>
    /// <param name="start">Position of the upper left sample.</param>
    /// <param name="stride">Distance between rows.</param>
    public static void Predict(int mode, byte[] unit, int start, int stride)
    {
        // Left column from bottom to top, corner (4), row above from left to right.
        Span<int> edge = stackalloc int[13];
        for (int index = 0; index < 4; index++) edge[3 - index] = unit[start + index * stride - 1];
        for (int index = -1; index < 8; index++) edge[5 + index] = unit[start - stride + index];
        switch (mode)
        {
            case 0:
                int sum = 4;
                for (int index = 0; index < 4; index++) sum += edge[index] + edge[5 + index];
                for (int y = 0; y < 4; y++) unit.AsSpan(start + y * stride, 4).Fill((byte)(sum >> 3));
                return;
            case 1:
                LossyPredictor.Gradient(unit, start, 4);
                return;
        }
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 4; x++) unit[start + y * stride + x] = (byte)Sample(mode, edge, x, y);
    }

    private static int Sample(int mode, ReadOnlySpan<int> edge, int x, int y) => mode switch
    {
        2 => Three(edge, 5 + x),
        3 => y == 3 ? (edge[1] + 3 * edge[0] + 2) >> 2 : Three(edge, 3 - y),
        4 => Three(edge, 4 + x - y),
        5 => VerticalRight(edge, x, y),
        6 => x + y == 6 ? (edge[11] + 3 * edge[12] + 2) >> 2 : Three(edge, 6 + x + y),
        7 => VerticalLeft(edge, x, y),
        8 => HorizontalDown(edge, x, y),
        _ => HorizontalUp(edge, x, y),
    };

    private static int VerticalRight(ReadOnlySpan<int> edge, int x, int y)
    {
        int column = 2 * x - y;
        if (column < -1) return Three(edge, 5 - y);
        if (column < 0) return Three(edge, 4);
        int position = 4 + x - (y >> 1);
        return (column & 1) == 0 ? Two(edge, position) : Three(edge, position);
    }

    private static int VerticalLeft(ReadOnlySpan<int> edge, int x, int y)
    {
        // Two irregular samples.
        if (x == 3 && y == 2) return Three(edge, 10);
        if (x == 3 && y == 3) return Three(edge, 11);
        int position = 5 + x + (y >> 1);
        return (y & 1) == 0 ? Two(edge, position) : Three(edge, position + 1);
    }

    private static int HorizontalDown(ReadOnlySpan<int> edge, int x, int y)
    {
        int row = 2 * y - x;
        if (row < -1) return Three(edge, 3 + x);
        if (row < 0) return Three(edge, 4);
        int position = 4 - y + (x >> 1);
        return (row & 1) == 0 ? Two(edge, position - 1) : Three(edge, position);
    }

    private static int HorizontalUp(ReadOnlySpan<int> edge, int x, int y)
    {
        int step = x + 2 * y;
        if (step > 5) return edge[0];
        if (step == 5) return (edge[1] + 3 * edge[0] + 2) >> 2;
        int position = 3 - (step >> 1);
        return (step & 1) == 0 ? Two(edge, position - 1) : Three(edge, position - 1);
    }

    private static int Two(ReadOnlySpan<int> edge, int index) => (edge[index] + edge[index + 1] + 1) >> 1;

    private static int Three(ReadOnlySpan<int> edge, int middle) => (edge[middle - 1] + 2 * edge[middle] + edge[middle + 1] + 2) >> 2;
}
