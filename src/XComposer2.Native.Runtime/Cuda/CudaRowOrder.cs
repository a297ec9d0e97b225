using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Which row of the checkpoint's matrices each row on the device is.</summary>
internal static class CudaRowOrder
{
    private const int Turn = 8;

    /// <param name="weight">What is uploaded.</param>
    /// <param name="row">Row on the device.</param>
    /// <param name="firstRows">Rows of the first matrix.</param>
    public static (bool FromSecond, int Row) SourceOf(CudaWeight weight, int row, int firstRows) => weight switch
    {
        GateUpWeight => (row / Turn % 2 == 1, (row / (2 * Turn) * Turn) + (row % Turn)),
        StackedWeight => row < firstRows ? (false, row) : (true, row - firstRows),
        RopePackedWeight packed => (false, RopeRow(packed.Geometry, row)),
        _ => (false, row),
    };

    private static int RopeRow(AttentionGeometry geometry, int row)
    {
        int head = row / geometry.HeadSize;
        bool isValue = head % (geometry.GroupSize + 2) == geometry.GroupSize + 1;
        if (isValue)
            return row;
        int inHead = row % geometry.HeadSize;
        int half = inHead / Turn % 2 == 1 ? geometry.HeadSize / 2 : 0;
        return (head * geometry.HeadSize) + half + (inHead / (2 * Turn) * Turn) + (inHead % Turn);
    }
}
