using System.Runtime.InteropServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>
/// A weight of integers in the order that <see cref="IntegerDots"/> reads: strips of as many outputs as a vector has sums, in a strip one block of 32 inputs after
/// the other, in a block vectors of four inputs of every output; of 4-bit weights, each byte has the next step's in its upper half. Beyond the last output
/// and the last input stands anything that the zero point makes zero. Owns its memory.
/// </summary>
/// <remarks>Columns are in the order of their groups: where a format has a group index, activations are gathered by <see cref="Columns"/>.</remarks>
public sealed unsafe class PackedIntegers : IDisposable
{
    private const nuint Alignment = 64;

    private byte* memory;

    private PackedIntegers(WeightFormat format, int rows, int columns, DotInstructions instructions)
    {
        Format = format;
        Rows = rows;
        Inputs = columns;
        Instructions = instructions;
        Lanes = instructions.Lanes();
        IsNibbles = format.Elements is DType.I4 or DType.U4;
        Strips = (int)(((long)rows + Lanes - 1) / Lanes);
        Blocks = QuantizedRows.BlocksOf(columns);
        Groups = format.Groups(columns);
        BlocksOfGroup = format.GroupSize == 0 ? Blocks : format.GroupSize / QuantizedRows.BlockInputs;
        long elementBytes = checked((long)Strips * StripBytes), scales = checked((long)Strips * Groups * Lanes);
        TotalBytes = BytesOf(format, rows, columns, instructions);
        memory = (byte*)HugePages.Allocate(TotalBytes, Alignment);
        Elements = memory;
        Scales = (float*)(memory + elementBytes);
        Columns = format.HasGroupIndex ? (int*)(Scales + scales) : null;
        ZeroPoints = HasZeroPoints ? (byte*)(Scales + scales) + (format.HasGroupIndex ? columns * sizeof(int) : 0) : null;
    }

    ~PackedIntegers() => Free();

    // Zero points are loaded by sixteen.
    private const long LastLoadBytes = 16;

    public WeightFormat Format { get; }

    /// <summary>Outputs.</summary>
    public int Rows { get; }

    /// <summary>Columns of the weight.</summary>
    public int Inputs { get; }

    /// <summary>For which it is packed.</summary>
    public DotInstructions Instructions { get; }

    /// <summary>Bytes of the packed weight.</summary>
    public long TotalBytes { get; }

    internal int Lanes { get; }

    internal bool IsNibbles { get; }

    internal bool HasZeroPoints => Format.HasZeroPoints;

    internal int Strips { get; }

    internal int Blocks { get; }

    internal int Groups { get; }

    internal int BlocksOfGroup { get; }

    /// <summary>Bytes of the elements of one block of a strip.</summary>
    internal int BlockBytes => Lanes * QuantizedRows.BlockInputs / (IsNibbles ? 2 : 1);

    internal nint StripBytes => (nint)Blocks * BlockBytes;

    /// <summary>What the elements of a weight without zero points count from.</summary>
    internal int Zero => IsNibbles ? 8 : Instructions.ByteZero();

    /// <summary>[strips, blocks, steps, lanes, 4] bytes, or half as many.</summary>
    internal byte* Elements { get; }

    /// <summary>[strips, groups, lanes].</summary>
    internal float* Scales { get; }

    /// <summary>[strips, groups, lanes]; null where the format has none.</summary>
    internal byte* ZeroPoints { get; }

    /// <summary>[inputs]: the column of x that stands at each place; null where they are as they are.</summary>
    internal int* Columns { get; }

    /// <summary>Bytes of a packed weight.</summary>
    /// <param name="format">That can be packed.</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="instructions">That will multiply it.</param>
    public static long BytesOf(WeightFormat format, int rows, int columns, DotInstructions instructions)
    {
        int lanes = instructions.Lanes();
        long outputs = ((long)rows + lanes - 1) / lanes * lanes, inputs = (long)QuantizedRows.BlocksOf(columns) * QuantizedRows.BlockInputs, scales = outputs * format.Groups(columns);
        return checked(format.Elements.Bytes(outputs * inputs) + (scales * (sizeof(float) + (format.HasZeroPoints ? 1 : 0))) + (format.HasGroupIndex ? (long)columns * sizeof(int) : 0) + (format.HasZeroPoints ? LastLoadBytes : 0));
    }

    /// <summary>Whether a weight can be packed for some instructions: 8-bit weights without zero points, 4-bit weights, by rows or groups of whole blocks; with a
    /// group index, every group but the last in order of their numbers must be full.</summary>
    /// <param name="weight">The parts as stored; the group index is read.</param>
    /// <param name="instructions">Any.</param>
    public static bool CanPack(in WeightMatrix weight, DotInstructions instructions) =>
        instructions != DotInstructions.None && CanPack(weight.Format) && (!weight.Format.HasGroupIndex || Order(weight) is not null);

    /// <summary>The same as far as the format tells.</summary>
    public static bool CanPack(WeightFormat format) =>
        format.Elements is DType.I8 or DType.I4 or DType.U4 && format.GroupSize % QuantizedRows.BlockInputs == 0;

    /// <param name="weight">As stored; not needed any more afterwards.</param>
    /// <param name="instructions">That will multiply it.</param>
    /// <exception cref="ArgumentException">The format cannot be packed.</exception>
    public static PackedIntegers Pack(WeightMatrix weight, DotInstructions instructions)
    {
        weight.Require(nameof(weight), weight.Rows, weight.Columns);
        if (!CanPack(weight, instructions))
            throw new ArgumentException($"{weight.Format}: no integer products for {instructions}", nameof(weight));
        var packed = new PackedIntegers(weight.Format, weight.Rows, weight.Columns, instructions);
        if (packed.Columns is not null)
            Order(weight).CopyTo(new Span<int>(packed.Columns, weight.Columns));
        Parallel.For(0, packed.Strips, strip => packed.PackStrip(weight, strip));
        return packed;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    // Columns by the numbers of their groups, in their own order within a group; null where groups are not whole.
    private static int[]? Order(in WeightMatrix weight)
    {
        int groups = weight.Format.Groups(weight.Columns), size = weight.Format.GroupSize;
        int[] filled = new int[groups], order = new int[weight.Columns];
        var index = (int*)weight.GroupIndex;
        for (int column = 0; column < weight.Columns; column++)
        {
            int group = index[column];
            int place = (group * size) + filled[group]++;
            if (filled[group] > size || place >= weight.Columns)
                return null;
            order[place] = column;
        }

        return order;
    }

    private void PackStrip(in WeightMatrix weight, int strip)
    {
        nint rowBytes = (nint)Format.Elements.Bytes(Inputs);
        byte* destination = Elements + (strip * StripBytes);
        for (int lane = 0; lane < Lanes; lane++)
        {
            int row = (strip * Lanes) + lane;
            PackParts(weight, strip, lane, row);
            byte* source = row < Rows ? (byte*)weight.Elements + (row * rowBytes) : null;
            int whole = source is null || Columns is not null ? 0 : Inputs / QuantizedRows.BlockInputs;
            for (int block = 0; block < Blocks; block++)
            {
                byte* target = destination + (block * (nint)BlockBytes) + (lane * QuantizedRows.StepInputs);
                if (block < whole)
                    PackWhole(source, block, target);
                else
                    PackOneByOne(source, block, target);
            }
        }
    }

    // Of one output, 32 inputs that lie side by side.
    private void PackWhole(byte* source, int block, byte* target)
    {
        const int Steps = QuantizedRows.BlockInputs / QuantizedRows.StepInputs;
        int vectorBytes = Lanes * QuantizedRows.StepInputs;
        if (!IsNibbles)
        {
            var words = (uint*)(source + (block * (nint)QuantizedRows.BlockInputs));
            // Adding 128 to a signed byte, or 0.
            uint sign = Zero == 0 ? 0 : 0x80808080;
            for (int step = 0; step < Steps; step++)
                *(uint*)(target + (step * vectorBytes)) = words[step] ^ sign;
            return;
        }

        var halves = (ushort*)(source + (block * (nint)(QuantizedRows.BlockInputs / 2)));
        uint signs = Format.Elements == DType.I4 ? 0x88888888 : 0;
        for (int step = 0; step < Steps; step += 2)
            *(uint*)(target + (step / 2 * vectorBytes)) = (Spread(halves[step]) | (Spread(halves[step + 1]) << 4)) ^ signs;
    }

    // Four nibbles as four bytes.
    private static uint Spread(uint nibbles)
    {
        uint pairs = (nibbles | (nibbles << 8)) & 0x00FF00FF;
        return (pairs | (pairs << 4)) & 0x0F0F0F0F;
    }

    // Beyond the last output or input, and where columns are in another order.
    private void PackOneByOne(byte* source, int block, byte* target)
    {
        int vectorBytes = Lanes * QuantizedRows.StepInputs, zero = Zero;
        for (int i = 0; i < QuantizedRows.BlockInputs; i++)
        {
            int place = (block * QuantizedRows.BlockInputs) + i;
            int value = source is not null && place < Inputs ? Element(source, Columns is null ? place : Columns[place], zero) : zero;
            int step = i / QuantizedRows.StepInputs, within = i % QuantizedRows.StepInputs;
            if (!IsNibbles)
                target[(step * vectorBytes) + within] = (byte)value;
            else if (step % 2 == 0)
                target[(step / 2 * vectorBytes) + within] = (byte)value;
            else
                target[(step / 2 * vectorBytes) + within] |= (byte)(value << 4);
        }
    }

    private int Element(byte* row, int column, int zero) => Format.Elements switch
    {
        DType.I8 => (sbyte)row[column] + zero,
        DType.I4 => (row[column / 2] >> (column % 2 * 4) & 0xF) ^ 8,
        _ => row[column / 2] >> (column % 2 * 4) & 0xF,
    };

    private void PackParts(in WeightMatrix weight, int strip, int lane, int row)
    {
        for (int group = 0; group < Groups; group++)
        {
            nint place = (((nint)strip * Groups) + group) * Lanes + lane;
            nint source = ((nint)row * Groups) + group;
            Scales[place] = row >= Rows ? 0 : Format.ScaleType == DType.F32 ? ((float*)weight.Scales)[source] : (float)((Half*)weight.Scales)[source];
            if (HasZeroPoints)
                ZeroPoints[place] = row >= Rows ? (byte)0 : ((byte*)weight.ZeroPoints)[source];
        }
    }

    private void Free()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
    }
}
