using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>The five row filters of PNG, undone in place.</summary>
internal static class PngFilter
{
    /// <param name="filter">0 to 4: none, left, above, average, Paeth.</param>
    /// <param name="row">Filtered bytes in, plain bytes out.</param>
    /// <param name="above">The plain row above; zeros above the first.</param>
    /// <param name="pixelBytes">Bytes from a sample to the same sample of the pixel before, at least 1.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Undo(int filter, Span<byte> row, ReadOnlySpan<byte> above, int pixelBytes)
    {
        switch (filter)
        {
            case 1:
                for (int index = pixelBytes; index < row.Length; index++) row[index] += row[index - pixelBytes];
                break;
            case 2:
                for (int index = 0; index < row.Length; index++) row[index] += above[index];
                break;
            case 3:
                for (int index = 0; index < row.Length; index++)
                    row[index] += (byte)(((index >= pixelBytes ? row[index - pixelBytes] : 0) + above[index]) / 2);
                break;
            case 4:
                for (int index = 0; index < row.Length; index++)
                    row[index] += index >= pixelBytes ? Paeth(row[index - pixelBytes], above[index], above[index - pixelBytes]) : above[index];
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Paeth(int left, int above, int corner)
    {
        int estimate = left + above - corner;
        int toLeft = Math.Abs(estimate - left), toAbove = Math.Abs(estimate - above), toCorner = Math.Abs(estimate - corner);
        return (byte)(toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner);
    }
}
