using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace XComposer2.Native.Kernels;

/// <summary>In which order columns of int8 weights lie on the device: of each 16, 0 1 8 9, 2 3 10 11, 4 5 12 13, 6 7 14 15, so that four neighbouring bytes
/// are what a lane of a tensor core's operand holds. Whoever uploads such weights applies it, and nobody else: quantisers keep the model's order.</summary>
public static class Int8ColumnOrder
{
    /// <summary>Columns that change places among themselves.</summary>
    public const int Group = 16;

    private static readonly Vector128<byte> columnsOfGroup = Vector128.Create([.. Enumerable.Range(0, Group).Select(place => (byte)Column(place))]);

    /// <summary>The column that stands at a place of a row on the device.</summary>
    public static int Column(int place) =>
        (place / Group * Group) + (place % Group / 4 * 2) + (place % 2) + (place % 4 / 2 * 8);

    /// <summary>Puts rows from the model's order into the device's.</summary>
    /// <param name="rows">Whole rows, or whole groups of them.</param>
    /// <param name="ordered">As long.</param>
    /// <exception cref="ArgumentException">The lengths differ, or are not whole groups.</exception>
    public static void Apply(ReadOnlySpan<sbyte> rows, Span<sbyte> ordered)
    {
        if (rows.Length != ordered.Length || rows.Length % Group != 0)
            throw new ArgumentException($"expected as many elements on both sides, a multiple of {Group}; found {rows.Length} and {ordered.Length}", nameof(ordered));
        ReadOnlySpan<Vector128<byte>> groups = MemoryMarshal.Cast<sbyte, Vector128<byte>>(rows);
        Span<Vector128<byte>> orderedGroups = MemoryMarshal.Cast<sbyte, Vector128<byte>>(ordered);
        for (int group = 0; group < groups.Length; group++)
            orderedGroups[group] = Vector128.Shuffle(groups[group], columnsOfGroup);
    }
}
