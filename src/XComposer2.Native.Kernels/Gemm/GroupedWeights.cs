using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace XComposer2.Native.Kernels;

/// <summary>How weights with a scale for each group of columns lie on the device (<c>gemm/int4_weights.cuh</c>): strips of 16 rows. Whoever uploads such weights
/// applies it, and nobody else.</summary>
public static class GroupedWeights
{
    /// <summary>Rows that are packed together.</summary>
    public const int StripRows = 16;

    /// <summary>Columns of a unit, which 4-bit rows are whole multiples of.</summary>
    public const int UnitColumns = 64;

    private const int HalfRows = 8, LaneColumns = 8;

    /// <summary>4-bit elements of a strip: units of 64 columns, 16 bytes for each lane of a warp.</summary>
    /// <param name="rows">16 rows, two elements a byte, the lower nibble first.</param>
    /// <param name="units">As long.</param>
    /// <param name="isSigned">Elements are -8 to 7; 8 is added.</param>
    /// <param name="order">The row's column for each column on the device; empty where they are the same.</param>
    public static void PackInt4(ReadOnlySpan<byte> rows, Span<byte> units, bool isSigned, ReadOnlySpan<int> order)
    {
        Require(rows, units);
        int rowBytes = rows.Length / StripRows;
        if (rowBytes * 2 % UnitColumns != 0)
            throw new ArgumentException($"expected rows of a multiple of {UnitColumns} elements, found {rowBytes * 2}", nameof(rows));
        byte[] ordered = order.IsEmpty ? [] : Reorder(rows, rowBytes, order);
        ReadOnlySpan<byte> source = order.IsEmpty ? rows : ordered;
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(units);
        uint flip = isSigned ? 0x88888888u : 0;
        for (int row = 0; row < HalfRows; row++)
        {
            ReadOnlySpan<byte> upper = source.Slice(row * rowBytes, rowBytes), lower = source.Slice((row + HalfRows) * rowBytes, rowBytes);
            for (int quarter = 0; quarter < rowBytes / 2; quarter++)
            {
                // Four columns of a lane: step = vector of 32 columns, half of the lane's eight.
                int column = quarter * 4, unit = column / UnitColumns, within = column % UnitColumns;
                int lane = (row * 4) + (within % 32 / LaneColumns), step = (within / 32 * 2) + (within % LaneColumns / 4);
                uint word = Spread(BinaryPrimitives.ReadUInt16LittleEndian(upper[(quarter * 2)..])) | (Spread(BinaryPrimitives.ReadUInt16LittleEndian(lower[(quarter * 2)..])) << 4);
                words[(unit * UnitColumns * 2) + (lane * 4) + step] = word ^ flip;
            }
        }
    }

    /// <summary>8-bit elements of one row: in the order of <see cref="Int8ColumnOrder"/>, unsigned ones less 128.</summary>
    /// <inheritdoc cref="PackInt4"/>
    public static void PackInt8(ReadOnlySpan<byte> row, Span<byte> packed, bool isSigned, ReadOnlySpan<int> order)
    {
        if (row.Length != packed.Length || row.Length % Int8ColumnOrder.Group != 0)
            throw new ArgumentException($"expected as many elements on both sides, a multiple of {Int8ColumnOrder.Group}; found {row.Length} and {packed.Length}", nameof(packed));
        byte flip = isSigned ? (byte)0 : (byte)0x80;
        for (int place = 0; place < packed.Length; place++)
        {
            int column = Int8ColumnOrder.Column(place);
            packed[place] = (byte)(row[order.IsEmpty ? column : order[column]] ^ flip);
        }
    }

    /// <summary>Scales, or zero points, of a strip: [16, groups] becomes [groups, 8, 2], rows g and g + 8 side by side.</summary>
    /// <param name="rows">16 rows.</param>
    /// <param name="packed">As long.</param>
    /// <param name="elementBytes">1 or 2.</param>
    public static void PackGroups(ReadOnlySpan<byte> rows, Span<byte> packed, int elementBytes)
    {
        Require(rows, packed);
        int groups = rows.Length / StripRows / elementBytes;
        for (int row = 0; row < StripRows; row++)
            for (int group = 0; group < groups; group++)
            {
                int place = (((group * HalfRows) + (row % HalfRows)) * 2) + (row / HalfRows);
                rows.Slice(((row * groups) + group) * elementBytes, elementBytes).CopyTo(packed[(place * elementBytes)..]);
            }
    }

    /// <summary>Columns sorted by their group, those of a group in their order: on the device groups are neighbours, and the input is read in this order.</summary>
    /// <param name="groupOfColumn">The group index.</param>
    /// <param name="groupSize">Columns of every group.</param>
    /// <exception cref="ArgumentException">A group has another number of columns.</exception>
    public static int[] ColumnOrder(ReadOnlySpan<int> groupOfColumn, int groupSize)
    {
        int groups = (groupOfColumn.Length + groupSize - 1) / groupSize;
        int[] counts = new int[groups], order = new int[groupOfColumn.Length];
        for (int column = 0; column < groupOfColumn.Length; column++)
        {
            int group = groupOfColumn[column];
            if ((uint)group >= (uint)groups)
                throw new ArgumentException($"expected groups of 0 to {groups - 1}, found {group} for column {column}", nameof(groupOfColumn));
            // The last group may be short. Where none has more columns than this, none has fewer.
            int most = Math.Min(groupSize, groupOfColumn.Length - (group * groupSize));
            if (counts[group] == most)
                throw new ArgumentException($"expected {most} columns of group {group}, found more", nameof(groupOfColumn));
            order[(group * groupSize) + counts[group]++] = column;
        }

        return order;
    }

    // Nibbles 0 to 3 to nibbles 0, 4, 2, 6.
    private static uint Spread(ushort nibbles)
    {
        uint four = nibbles;
        return (four & 0xF) | ((four & 0xF0) << 12) | (four & 0xF00) | ((four & 0xF000) << 12);
    }

    private static byte[] Reorder(ReadOnlySpan<byte> rows, int rowBytes, ReadOnlySpan<int> order)
    {
        byte[] ordered = new byte[rows.Length];
        for (int row = 0; row < StripRows; row++)
            for (int column = 0; column < order.Length; column++)
            {
                int nibble = (rows[(row * rowBytes) + (order[column] / 2)] >> (order[column] % 2 * 4)) & 0xF;
                ordered[(row * rowBytes) + (column / 2)] |= (byte)(nibble << (column % 2 * 4));
            }
        return ordered;
    }

    private static void Require(ReadOnlySpan<byte> rows, Span<byte> packed)
    {
        if (rows.Length != packed.Length || rows.Length % StripRows != 0)
            throw new ArgumentException($"expected as many bytes on both sides, {StripRows} rows; found {rows.Length} and {packed.Length}", nameof(packed));
    }
}
