using System.Runtime.InteropServices;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>Random integer weights of any format: as stored, as the device has them, and as the numbers that they stand for.</summary>
internal sealed class QuantisedRows
{
    private readonly WeightFormat format;
    private readonly int rows;
    private readonly int columns;
    private readonly byte[] elements;
    private readonly byte[] scales;
    private readonly byte[] zeros;

    /// <param name="format">Integers.</param>
    /// <param name="rows">Of the matrix.</param>
    /// <param name="columns">Of the matrix.</param>
    /// <param name="deviation">Of the numbers, about.</param>
    public QuantisedRows(WeightFormat format, int rows, int columns, double deviation)
    {
        this.format = format;
        this.rows = rows;
        this.columns = columns;
        int bits = format.Elements.ElementBits(), groups = format.Groups(columns), most = (1 << (bits - 1)) - 1;
        bool isSigned = !format.HasZeroPoints;
        Random random = new(9);
        elements = new byte[rows * format.Elements.Bytes(columns)];
        float[] factors = [.. StoredFloats.Random(rows * groups, 8, format.HasRowScales ? DType.F32 : DType.F16).Select(value => (float)deviation * (1 + MathF.Abs(value)) * 2 / most)];
        if (!format.HasRowScales)
            // A group's scale may be negative.
            factors = [.. factors.Select((factor, index) => (float)(Half)(index % 5 == 2 ? -factor : factor))];
        scales = format.HasRowScales ? MemoryMarshal.AsBytes(factors.AsSpan()).ToArray() : MemoryMarshal.AsBytes(Array.ConvertAll(factors, factor => (Half)factor).AsSpan()).ToArray();
        // Of 4 bits up to 16.
        zeros = [.. Enumerable.Range(0, rows * groups).Select(index => (byte)(index % 7 == 3 ? 2 * (most + 1) - (bits == 8 ? 1 : 0) : random.Next(0, 2 * (most + 1))))];
        int[] groupOf = GroupIndex(groups);
        Order = format.HasGroupIndex ? GroupedWeights.ColumnOrder(groupOf, format.GroupSize) : null;
        RowFactors = format.HasRowScales ? factors : null;
        Values = new float[rows * columns];
        for (int i = 0; i < Values.Length; i++)
        {
            int row = i / columns, place = (row * groups) + groupOf[i % columns];
            // The ends of the range are among them.
            int integer = i % 61 == 0 ? -most - (format == WeightFormat.Int8 ? 0 : 1) : i % 67 == 0 ? most : random.Next(-most, most + 1);
            int stored = isSigned ? integer : integer + most + 1;
            elements[(row * format.Elements.Bytes(columns)) + (i % columns * bits / 8)] |= (byte)((stored & ((1 << bits) - 1)) << (i % columns * bits % 8));
            Values[i] = format.HasRowScales ? integer : (stored - (isSigned ? 0 : zeros[place])) * factors[place];
        }
    }

    /// <summary>[rows, columns]; of row scales, before they are multiplied.</summary>
    public float[] Values { get; }

    /// <summary>The input's column for each of the device's; null without a group index.</summary>
    public int[]? Order { get; }

    private float[]? RowFactors { get; }

    public double RowScale(int row) => RowFactors?[row] ?? 1;

    /// <summary>A part as the device has it.</summary>
    /// <param name="part">Elements, scales or zero points.</param>
    /// <param name="sourceOf">The row of the model that stands in a row on the device.</param>
    public byte[] Packed(WeightPart part, Func<int, int> sourceOf)
    {
        byte[] source = part switch { WeightPart.Elements => elements, WeightPart.Scales => scales, _ => zeros };
        int rowBytes = source.Length / rows;
        byte[] ordered = [.. Enumerable.Range(0, rows).SelectMany(row => source.AsSpan(sourceOf(row) * rowBytes, rowBytes).ToArray())];
        if (DeviceWeights.Of(format).PackingOf(part, Order) is not { } packing)
            return ordered;
        byte[] packed = new byte[ordered.Length];
        for (int first = 0; first < rows; first += packing.Rows)
            packing.Pack(ordered.AsSpan(first * rowBytes, packing.Rows * rowBytes), packed.AsSpan(first * rowBytes, packing.Rows * rowBytes));
        return packed;
    }

    // Act-order: the groups' columns are anywhere.
    private int[] GroupIndex(int groups)
    {
        int[] index = [.. Enumerable.Range(0, columns).Select(column => format.HasRowScales ? 0 : column / format.GroupSize)];
        if (format.HasGroupIndex)
            new Random(10).Shuffle(index);
        return index;
    }
}
