using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>How the linears' kernels hold weights of a format on the device: what they define for it, and how rows are packed. The one place that knows.</summary>
public sealed record DeviceWeights
{
    private const string Int8 = "WEIGHT_INT8";

    private DeviceWeights(WeightFormat format) => Format = format;

    /// <summary>Formats of integers that the tiled kernels read as they are, beside the storage type.</summary>
    public static IReadOnlyList<WeightFormat> Tiled { get; } = [WeightFormat.Int8];

    /// <summary>Formats of integers that the streaming kernel is timed with.</summary>
    public static IReadOnlyList<WeightFormat> Streamed { get; } = [WeightFormat.Int8, WeightFormat.Grouped(4, 128)];

    /// <summary>As the graph states it; of the storage type where it is floating.</summary>
    public WeightFormat Format { get; }

    /// <summary>Columns of a row are a multiple of it: 16 bytes are loaded at a time, and units are whole.</summary>
    public int ColumnMultiple => Format.IsFloat ? 8 : IsGrouped ? GroupedWeights.UnitColumns : Int8ColumnOrder.Group;

    /// <summary>Rows are a multiple of it.</summary>
    public int RowMultiple => IsGrouped ? GroupedWeights.StripRows : 1;

    /// <summary>The tiled kernels have no form for it: they are given a panel of the storage type (<see cref="Dequantize"/>).</summary>
    public bool NeedsPanel => !Format.IsFloat && !Tiled.Contains(Format);

    private bool IsGrouped => !Format.IsFloat && !Format.HasRowScales;

    /// <summary>Whether there are kernels for a format: floating numbers, int8 by rows, and groups of 64 columns or a multiple, of int4 also of 32.</summary>
    public static bool Has(WeightFormat format) => format.IsFloat || format == WeightFormat.Int8
        || (!format.HasRowScales && (format.GroupSize % GroupedWeights.UnitColumns == 0 || (format.Elements.ElementBits() == 4 && format.GroupSize == GroupedWeights.UnitColumns / 2)));

    /// <exception cref="NotSupportedException">There are no kernels for the format.</exception>
    public static DeviceWeights Of(WeightFormat format) =>
        Has(format) ? new DeviceWeights(format) : throw new NotSupportedException($"the GPU has no kernel for weights of {format}");

    /// <summary>How rows of a part are packed; null where they stay as they are.</summary>
    /// <param name="part">Of the format, but for the group index.</param>
    /// <param name="order">Of <see cref="GroupedWeights.ColumnOrder"/>; null without a group index.</param>
    public RowPacking? PackingOf(WeightPart part, int[]? order)
    {
        bool isSigned = !Format.Elements.IsUnsigned();
        int[] columns = order ?? [];
        if (Format == WeightFormat.Int8 && part == WeightPart.Elements)
            return new RowPacking(1, static (row, packed) => Int8ColumnOrder.Apply(MemoryMarshal.Cast<byte, sbyte>(row), MemoryMarshal.Cast<byte, sbyte>(packed)));
        if (!IsGrouped)
            return null;
        return part switch
        {
            WeightPart.Elements when Format.Elements.ElementBits() == 4 => new RowPacking(GroupedWeights.StripRows, (rows, units) => GroupedWeights.PackInt4(rows, units, isSigned, columns)),
            WeightPart.Elements => new RowPacking(1, (row, packed) => GroupedWeights.PackInt8(row, packed, isSigned, columns)),
            WeightPart.Scales => new RowPacking(GroupedWeights.StripRows, static (rows, packed) => GroupedWeights.PackGroups(rows, packed, 2)),
            WeightPart.ZeroPoints => new RowPacking(GroupedWeights.StripRows, static (rows, packed) => GroupedWeights.PackGroups(rows, packed, 1)),
            _ => null,
        };
    }

    /// <summary>What a kernel defines; of groups, more than of other formats (<c>gemm/weight_format.cuh</c>).</summary>
    internal IEnumerable<(string Name, string Value)> Definitions()
    {
        yield return (Int8, !Format.IsFloat && Format.Elements.ElementBits() == 8 ? "1" : "0");
        if (!IsGrouped) yield break;
        yield return ("WEIGHT_INT4", Format.Elements.ElementBits() == 4 ? "1" : "0");
        yield return ("WEIGHT_GROUP", Format.GroupSize.ToString(System.Globalization.CultureInfo.InvariantCulture));
        yield return ("WEIGHT_ZEROS", Format.HasZeroPoints ? "1" : "0");
        yield return ("WEIGHT_ORDER", Format.HasGroupIndex ? "1" : "0");
    }
}

/// <summary>Puts rows of stored elements into the order that the kernels want.</summary>
/// <param name="Rows">So many at a time.</param>
/// <param name="Pack">Does it.</param>
public sealed record RowPacking(int Rows, RowPacker Pack);

/// <summary>Packs rows.</summary>
/// <param name="rows">As stored, one after another.</param>
/// <param name="packed">As long.</param>
public delegate void RowPacker(ReadOnlySpan<byte> rows, Span<byte> packed);

/// <summary>Where the parts of a weight lie on the device; null pointers where the format has no such part.</summary>
/// <param name="Elements">As the format's kernels read them.</param>
/// <param name="Scales">F32 [rows], or F16 of groups.</param>
/// <param name="ZeroPoints">Bytes.</param>
/// <param name="ColumnOrder">I32 [columns]: the input's column for each of the weights'.</param>
public readonly record struct DeviceMatrix(DevicePointer Elements, DevicePointer Scales = default, DevicePointer ZeroPoints = default, DevicePointer ColumnOrder = default);
