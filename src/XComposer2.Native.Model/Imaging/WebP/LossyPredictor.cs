using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>Predicts macroblocks and adds the inverse transforms, as libwebp does.</summary>
internal sealed class LossyPredictor(LossyFrame frame)
{
    public const byte Dc = 0;
    public const byte TrueMotion = 1;
    public const byte FromTop = 2;
    public const byte FromLeft = 3;

    // Work buffers: the macroblock, the row above with corner and four samples to the right, and the left column.
    private const int Stride = 32;
    private const int LumaStart = Stride + 8;
    private const byte OutsideTop = 127;
    private const byte OutsideLeft = 129;
    private readonly byte[] _luma = new byte[Stride * 17];
    private readonly byte[] _chroma = new byte[Stride * 9];

    public void Run(in LossyUnit unit, ReadOnlySpan<short> coefficients, int column, int row)
    {
        Gather(frame.Y, frame.Stride, 16, column, row, _luma);
        if (unit.IsSplit) Split(unit, coefficients, column, row);
        else
        {
            Whole(unit.Modes[0], _luma, 16, column, row);
            for (int index = 0; index < 16; index++) AddBlock(coefficients.Slice(16 * index, 16), _luma.AsSpan(LumaStart + 4 * Stride * (index / 4) + 4 * (index % 4)));
        }
        Scatter(_luma, 16, frame.Y, frame.Stride, column, row);
        Chroma(frame.U, unit.ChromaMode, coefficients.Slice(16 * 16, 64), column, row);
        Chroma(frame.V, unit.ChromaMode, coefficients.Slice(20 * 16, 64), column, row);
    }

    /// <summary>Inverse Walsh-Hadamard transform; writes the DC coefficients of the luma blocks.</summary>
    /// <param name="input">16 coefficients.</param>
    /// <param name="isFull">Whether there are AC coefficients.</param>
    /// <param name="coefficients">[at least 16, 16]; the first coefficient of each block is written.</param>
    public static void SecondTransform(ReadOnlySpan<short> input, bool isFull, Span<short> coefficients)
    {
        if (!isFull)
        {
            for (int index = 0; index < 16; index++) coefficients[16 * index] = (short)((input[0] + 3) >> 3);
            return;
        }
        Span<int> middle = stackalloc int[16];
        for (int index = 0; index < 4; index++)
        {
            int outer = input[index] + input[12 + index], inner = input[4 + index] + input[8 + index];
            int innerStep = input[4 + index] - input[8 + index], outerStep = input[index] - input[12 + index];
            (middle[index], middle[8 + index]) = (outer + inner, outer - inner);
            (middle[4 + index], middle[12 + index]) = (outerStep + innerStep, outerStep - innerStep);
        }
        for (int index = 0; index < 4; index++)
        {
            int rounded = middle[4 * index] + 3, outer = rounded + middle[4 * index + 3], inner = middle[4 * index + 1] + middle[4 * index + 2];
            int innerStep = middle[4 * index + 1] - middle[4 * index + 2], outerStep = rounded - middle[4 * index + 3];
            Span<short> target = coefficients.Slice(64 * index, 64);
            target[0] = (short)((outer + inner) >> 3);
            target[16] = (short)((outerStep + innerStep) >> 3);
            target[32] = (short)((outer - inner) >> 3);
            target[48] = (short)((outerStep - innerStep) >> 3);
        }
    }

    private void Chroma(byte[] plane, byte mode, ReadOnlySpan<short> coefficients, int column, int row)
    {
        Gather(plane, frame.ChromaStride, 8, column, row, _chroma);
        Whole(mode, _chroma, 8, column, row);
        for (int index = 0; index < 4; index++) AddBlock(coefficients.Slice(16 * index, 16), _chroma.AsSpan(LumaStart + 4 * Stride * (index / 2) + 4 * (index % 2)));
        Scatter(_chroma, 8, plane, frame.ChromaStride, column, row);
    }

    private static void Gather(byte[] plane, int stride, int size, int column, int row, byte[] unit)
    {
        Span<byte> top = unit.AsSpan(LumaStart - Stride, size);
        int start = size * (row * stride + column);
        if (row == 0) top.Fill(OutsideTop);
        else plane.AsSpan(start - stride, size).CopyTo(top);
        unit[LumaStart - Stride - 1] = row == 0 ? OutsideTop : column == 0 ? OutsideLeft : plane[start - stride - 1];
        for (int y = 0; y < size; y++) unit[LumaStart + y * Stride - 1] = column == 0 ? OutsideLeft : plane[start + y * stride - 1];
    }

    private static void Scatter(byte[] unit, int size, byte[] plane, int stride, int column, int row)
    {
        int start = size * (row * stride + column);
        for (int y = 0; y < size; y++) unit.AsSpan(LumaStart + y * Stride, size).CopyTo(plane.AsSpan(start + y * stride));
    }

    private static void Whole(byte mode, byte[] unit, int size, int column, int row)
    {
        switch (mode)
        {
            case TrueMotion: Gradient(unit.AsSpan(), LumaStart, size); break;
            case FromTop:
                for (int y = 0; y < size; y++) unit.AsSpan(LumaStart - Stride, size).CopyTo(unit.AsSpan(LumaStart + y * Stride));
                break;
            case FromLeft:
                for (int y = 0; y < size; y++) unit.AsSpan(LumaStart + y * Stride, size).Fill(unit[LumaStart + y * Stride - 1]);
                break;
            default:
                int sum = 0, known = (column > 0 ? size : 0) + (row > 0 ? size : 0);
                for (int index = 0; index < size; index++)
                {
                    if (row > 0) sum += unit[LumaStart - Stride + index];
                    if (column > 0) sum += unit[LumaStart + index * Stride - 1];
                }
                byte mean = known == 0 ? (byte)128 : (byte)((sum + known / 2) / known);
                for (int y = 0; y < size; y++) unit.AsSpan(LumaStart + y * Stride, size).Fill(mean);
                break;
        }
    }

    private void Split(in LossyUnit unit, ReadOnlySpan<short> coefficients, int column, int row)
    {
        // Above-right samples: from the macroblock above right, or the last sample repeated; shared by all four block rows.
        Span<byte> right = _luma.AsSpan(LumaStart - Stride + 16, 4);
        if (row == 0) right.Fill(OutsideTop);
        else if (column == frame.UnitsAcross - 1) right.Fill(_luma[LumaStart - Stride + 15]);
        else frame.Y.AsSpan((16 * row - 1) * frame.Stride + 16 * (column + 1), 4).CopyTo(right);
        for (int y = 4; y < 16; y += 4) right.CopyTo(_luma.AsSpan(LumaStart + (y - 1) * Stride + 16));
        for (int index = 0; index < 16; index++)
        {
            int start = LumaStart + 4 * Stride * (index / 4) + 4 * (index % 4);
            LossyBlockModes.Predict(unit.Modes[index], _luma, start, Stride);
            AddBlock(coefficients.Slice(16 * index, 16), _luma.AsSpan(start));
        }
    }

    /// <summary>TrueMotion prediction: left + top - corner.</summary>
    internal static void Gradient(Span<byte> unit, int start, int size)
    {
        int corner = unit[start - Stride - 1];
        for (int y = 0; y < size; y++)
        {
            int left = unit[start + y * Stride - 1] - corner;
            for (int x = 0; x < size; x++) unit[start + y * Stride + x] = (byte)Math.Clamp(left + unit[start - Stride + x], 0, 255);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddBlock(ReadOnlySpan<short> block, Span<byte> target)
    {
        if (block.IndexOfAnyExcept((short)0) < 0) return;
        Span<int> middle = stackalloc int[16];
        for (int index = 0; index < 4; index++)
        {
            int sum = block[index] + block[8 + index], step = block[index] - block[8 + index];
            int first = Sine(block[4 + index]) - Cosine(block[12 + index]), second = Cosine(block[4 + index]) + Sine(block[12 + index]);
            middle[4 * index] = sum + second;
            middle[4 * index + 1] = step + first;
            middle[4 * index + 2] = step - first;
            middle[4 * index + 3] = sum - second;
        }
        for (int index = 0; index < 4; index++)
        {
            int rounded = middle[index] + 4, sum = rounded + middle[8 + index], step = rounded - middle[8 + index];
            int first = Sine(middle[4 + index]) - Cosine(middle[12 + index]), second = Cosine(middle[4 + index]) + Sine(middle[12 + index]);
            Span<byte> row = target.Slice(index * Stride, 4);
            row[0] = (byte)Math.Clamp(row[0] + ((sum + second) >> 3), 0, 255);
            row[1] = (byte)Math.Clamp(row[1] + ((step + first) >> 3), 0, 255);
            row[2] = (byte)Math.Clamp(row[2] + ((step - first) >> 3), 0, 255);
            row[3] = (byte)Math.Clamp(row[3] + ((sum - second) >> 3), 0, 255);
        }
    }

    // sqrt(2) cos(pi / 8) and sqrt(2) sin(pi / 8) in 16-bit fixed point.
    private static int Cosine(int value) => ((value * 20091) >> 16) + value;

    private static int Sine(int value) => (value * 35468) >> 16;
}
