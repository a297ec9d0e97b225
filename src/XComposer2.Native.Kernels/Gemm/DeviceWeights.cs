using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>How the linears' kernels hold weights of a format on the device: what they define for it, and how rows are packed. The one place that knows.</summary>
/// <param name="Format">As the graph states it; of the storage type where it is floating.</param>
/// <param name="ColumnMultiple">Columns of a row are a multiple of it: 16 bytes are loaded at a time.</param>
/// <param name="Definition">Of the kernels' preprocessor; each format has one, and all others are 0.</param>
/// <param name="Packing">Puts a row of elements into the kernels' order; null where it stays as it is.</param>
public sealed record DeviceWeights(WeightFormat Format, int ColumnMultiple, string? Definition, RowPacking? Packing)
{
    private const string Int8 = "WEIGHT_INT8";

    private static readonly string[] definitions = [Int8];

    /// <summary>Formats of integers that there are kernels for, beside the storage type.</summary>
    public static IReadOnlyList<WeightFormat> Integers { get; } = [WeightFormat.Int8];

    /// <summary>Whether there are kernels for a format.</summary>
    public static bool Has(WeightFormat format) => format.IsFloat || Integers.Contains(format);

    /// <exception cref="NotSupportedException">There are no kernels for the format.</exception>
    public static DeviceWeights Of(WeightFormat format)
    {
        if (format.IsFloat)
            return new DeviceWeights(format, 8, null, null);
        return format == WeightFormat.Int8
            ? new DeviceWeights(format, Int8ColumnOrder.Group, Int8, static (row, packed) => Int8ColumnOrder.Apply(MemoryMarshal.Cast<byte, sbyte>(row), MemoryMarshal.Cast<byte, sbyte>(packed)))
            : throw new NotSupportedException($"the GPU has no kernel for weights of {format}");
    }

    /// <summary>What a kernel defines: 1 for this format, 0 for the others.</summary>
    internal IEnumerable<(string Name, string Value)> Definitions() => definitions.Select(name => (name, name == Definition ? "1" : "0"));
}

/// <summary>Puts one row of stored elements into the order that the kernels want.</summary>
/// <param name="row">As stored.</param>
/// <param name="packed">As long.</param>
public delegate void RowPacking(ReadOnlySpan<byte> row, Span<byte> packed);

/// <summary>Where the parts of a weight lie on the device; null pointers where the format has no such part.</summary>
public readonly record struct DeviceMatrix(DevicePointer Elements, DevicePointer Scales = default, DevicePointer ZeroPoints = default);
