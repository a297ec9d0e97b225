using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>Transforms of lossless WebP.</summary>
internal enum LosslessTransformKind
{
    Predict = 0,
    CrossColor = 1,
    SubtractGreen = 2,
    Palette = 3,
}

/// <summary>A transform of a lossless WebP.</summary>
/// <param name="Kind">Type of the transform.</param>
/// <param name="Width">Width of the untransformed picture.</param>
/// <param name="Bits">Log2 of the block size or, for palettes, of the pixels per byte.</param>
/// <param name="Data">Per-block parameters or the palette.</param>
internal sealed record LosslessTransform(LosslessTransformKind Kind, int Width, int Bits, uint[] Data)
{
    private const uint Black = 0xFF000000;

    /// <summary>Width of the transformed picture.</summary>
    public int PackedWidth(int width) => Kind == LosslessTransformKind.Palette ? (width + (1 << Bits) - 1) >> Bits : width;

    /// <summary>Adds four channels modulo 256.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Add(uint first, uint second) =>
        (first & 0xFF00FF00) + (second & 0xFF00FF00) & 0xFF00FF00 | (first & 0x00FF00FF) + (second & 0x00FF00FF) & 0x00FF00FF;

    /// <param name="pixels">ARGB, [height, packed width]; modified in place if the size is unchanged.</param>
    /// <param name="height">Rows.</param>
    /// <param name="cancellation">Checked for each row.</param>
    public uint[] Undo(uint[] pixels, int height, CancellationToken cancellation)
    {
        int width = Width;
        if (Kind == LosslessTransformKind.Palette) return LookUp(pixels, height, cancellation);
        int blocksAcross = (width + (1 << Bits) - 1) >> Bits;
        for (int row = 0; row < height; row++)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlySpan<uint> blocks = Data.Length == 0 ? default : Data.AsSpan((row >> Bits) * blocksAcross, blocksAcross);
            if (Kind == LosslessTransformKind.SubtractGreen) AddGreen(pixels.AsSpan(row * width, width));
            else if (Kind == LosslessTransformKind.CrossColor) MixColors(pixels.AsSpan(row * width, width), blocks);
            else Predict(pixels, row, width, blocks);
        }
        return pixels;
    }

    private uint[] LookUp(uint[] pixels, int height, CancellationToken cancellation)
    {
        int width = Width;
        uint[] plain = GC.AllocateUninitializedArray<uint>(width * height);
        int packed = PackedWidth(width), bits = 8 >> Bits, mask = (1 << bits) - 1, within = (1 << Bits) - 1;
        for (int row = 0; row < height; row++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (int column = 0; column < width; column++)
                plain[row * width + column] = Data[(int)(pixels[row * packed + (column >> Bits)] >> 8 & 0xFF) >> (column & within) * bits & mask];
        }
        return plain;
    }

    private static void AddGreen(Span<uint> row)
    {
        foreach (ref uint pixel in row)
        {
            uint green = pixel >> 8 & 0xFF;
            pixel = pixel & 0xFF00FF00 | (pixel & 0x00FF00FF) + (green << 16 | green) & 0x00FF00FF;
        }
    }

    private void MixColors(Span<uint> row, ReadOnlySpan<uint> blocks)
    {
        for (int column = 0; column < row.Length; column++)
        {
            uint factors = blocks[column >> Bits], pixel = row[column];
            sbyte green = (sbyte)(pixel >> 8);
            int red = (int)(pixel >> 16) + Delta((sbyte)factors, green) & 0xFF;
            int blue = (int)pixel + Delta((sbyte)(factors >> 8), green) + Delta((sbyte)(factors >> 16), (sbyte)red) & 0xFF;
            row[column] = pixel & 0xFF00FF00 | (uint)(red << 16) | (uint)blue;
        }
    }

    private static int Delta(sbyte factor, sbyte color) => factor * color >> 5;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Predict(uint[] pixels, int row, int width, ReadOnlySpan<uint> blocks)
    {
        int start = row * width;
        pixels[start] = Add(pixels[start], row == 0 ? Black : pixels[start - width]);
        for (int column = 1; column < width; column++)
        {
            int index = start + column;
            uint left = pixels[index - 1];
            if (row == 0)
            {
                pixels[index] = Add(pixels[index], left);
                continue;
            }
            // To the right of the last column is the first pixel of the current row.
            uint corner = pixels[index - width - 1], top = pixels[index - width], right = pixels[index - width + 1];
            uint guess = (blocks[column >> Bits] >> 8 & 15) switch
            {
                1 => left,
                2 => top,
                3 => right,
                4 => corner,
                5 => Mean(Mean(left, right), top),
                6 => Mean(left, corner),
                7 => Mean(left, top),
                8 => Mean(corner, top),
                9 => Mean(top, right),
                10 => Mean(Mean(left, corner), Mean(top, right)),
                11 => Select(top, left, corner),
                12 => Gradient(left, top, corner),
                13 => HalfGradient(Mean(left, top), corner),
                _ => Black,
            };
            pixels[index] = Add(pixels[index], guess);
        }
    }

    private static uint Mean(uint first, uint second) => (((first ^ second) & 0xFEFEFEFE) >> 1) + (first & second);

    private static uint Select(uint top, uint left, uint corner)
    {
        int toTop = 0, toLeft = 0;
        for (int shift = 0; shift < 32; shift += 8)
        {
            int middle = Channel(corner, shift);
            toLeft += Math.Abs(Channel(top, shift) - middle);
            toTop += Math.Abs(Channel(left, shift) - middle);
        }
        return toTop - toLeft <= 0 ? top : left;
    }

    private static uint Gradient(uint left, uint top, uint corner)
    {
        uint result = 0;
        for (int shift = 0; shift < 32; shift += 8)
            result |= (uint)Math.Clamp(Channel(left, shift) + Channel(top, shift) - Channel(corner, shift), 0, 255) << shift;
        return result;
    }

    private static uint HalfGradient(uint mean, uint corner)
    {
        uint result = 0;
        for (int shift = 0; shift < 32; shift += 8)
        {
            int middle = Channel(mean, shift);
            result |= (uint)Math.Clamp(middle + (middle - Channel(corner, shift)) / 2, 0, 255) << shift;
        }
        return result;
    }

    private static int Channel(uint pixel, int shift) => (int)(pixel >> shift & 0xFF);
}
