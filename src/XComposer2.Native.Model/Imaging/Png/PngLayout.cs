using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>How a PNG stores a pixel.</summary>
internal sealed record PngLayout(PngColorType ColorType, int Depth, bool Interlaced)
{
    private int Samples => ColorType switch
    {
        PngColorType.Rgb => 3,
        PngColorType.GrayAlpha => 2,
        PngColorType.RgbAlpha => 4,
        _ => 1,
    };

    public int BitsPerPixel => Samples * Depth;

    /// <summary>Whether each pixel has an opacity.</summary>
    public bool HasAlpha => ColorType is PngColorType.GrayAlpha or PngColorType.RgbAlpha;

    /// <summary>Content of the tRNS chunk if the opacity is decoded; null if the colours are.</summary>
    public byte[]? Transparency { get; init; }

    /// <summary>Reads the 13 bytes of the IHDR chunk, of which the size was read before.</summary>
    public static PngLayout Read(ReadOnlySpan<byte> header, string name)
    {
        int depth = header[8];
        int colorType = header[9];
        bool known = colorType switch
        {
            0 => depth is 1 or 2 or 4 or 8 or 16,
            3 => depth is 1 or 2 or 4 or 8,
            2 or 4 or 6 => depth is 8 or 16,
            _ => false,
        };
        if (!known) throw ImageException.For(name, $"PNG: colour type {colorType} with {depth} bits per sample does not exist");
        if (header[10] != 0 || header[11] != 0 || header[12] > 1)
            throw ImageException.For(name, $"PNG: compression {header[10]}, filter {header[11]}, interlace {header[12]}: 0, 0 and 0 or 1 expected");
        return new((PngColorType)colorType, depth, header[12] == 1);
    }

    /// <summary>Writes one row as RGB, <paramref name="step"/> bytes from pixel to pixel. Alpha is left out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Expand(ReadOnlySpan<byte> row, int columns, ReadOnlySpan<byte> palette, Span<byte> target, int step)
    {
        if (Depth < 8)
        {
            ExpandPacked(row, columns, palette, target, step);
            return;
        }
        int sampleBytes = Depth / 8;
        int pixelBytes = BitsPerPixel / 8;
        bool isColor = ColorType is PngColorType.Rgb or PngColorType.RgbAlpha;
        for (int column = 0; column < columns; column++)
        {
            // The high byte of a 16-bit sample comes first.
            ReadOnlySpan<byte> pixel = row.Slice(column * pixelBytes, pixelBytes);
            Span<byte> rgb = target.Slice(column * step, 3);
            if (isColor) (rgb[0], rgb[1], rgb[2]) = (pixel[0], pixel[sampleBytes], pixel[2 * sampleBytes]);
            else if (ColorType == PngColorType.Palette) LookUp(palette, pixel[0], rgb);
            else rgb.Fill(pixel[0]);
        }
    }

    /// <summary>Writes the opacity of one row into three channels, <paramref name="step"/> bytes from pixel to pixel.</summary>
    public void ExpandAlpha(ReadOnlySpan<byte> row, int columns, ReadOnlySpan<byte> transparency, Span<byte> target, int step)
    {
        int sampleBytes = Math.Max(Depth / 8, 1), pixelBytes = BitsPerPixel / 8;
        for (int column = 0; column < columns; column++)
        {
            byte opacity = ColorType switch
            {
                PngColorType.GrayAlpha or PngColorType.RgbAlpha => row[((column + 1) * pixelBytes) - sampleBytes],
                PngColorType.Palette => Packed(row, column) is int index && index < transparency.Length ? transparency[index] : byte.MaxValue,
                PngColorType.Gray => transparency.Length >= 2 && Gray(row, column) == BinaryPrimitives.ReadUInt16BigEndian(transparency) ? byte.MinValue : byte.MaxValue,
                _ => transparency.Length >= 6 && IsColorKey(row.Slice(column * pixelBytes, pixelBytes), sampleBytes, transparency) ? byte.MinValue : byte.MaxValue,
            };
            target.Slice(column * step, 3).Fill(opacity);
        }
    }

    private int Packed(ReadOnlySpan<byte> row, int column) => Depth == 8 ? row[column] : row[column / (8 / Depth)] >> (8 - (Depth * ((column % (8 / Depth)) + 1))) & ((1 << Depth) - 1);

    private int Gray(ReadOnlySpan<byte> row, int column) => Depth == 16 ? BinaryPrimitives.ReadUInt16BigEndian(row[(2 * column)..]) : Packed(row, column);

    private static bool IsColorKey(ReadOnlySpan<byte> pixel, int sampleBytes, ReadOnlySpan<byte> key)
    {
        for (int sample = 0; sample < 3; sample++)
        {
            int value = sampleBytes == 2 ? BinaryPrimitives.ReadUInt16BigEndian(pixel[(2 * sample)..]) : pixel[sample];
            if (value != BinaryPrimitives.ReadUInt16BigEndian(key[(2 * sample)..])) return false;
        }
        return true;
    }

    private void ExpandPacked(ReadOnlySpan<byte> row, int columns, ReadOnlySpan<byte> palette, Span<byte> target, int step)
    {
        int perByte = 8 / Depth;
        int max = (1 << Depth) - 1;
        for (int column = 0; column < columns; column++)
        {
            int value = row[column / perByte] >> (8 - Depth * (column % perByte + 1)) & max;
            Span<byte> rgb = target.Slice(column * step, 3);
            if (ColorType == PngColorType.Palette) LookUp(palette, value, rgb);
            else rgb.Fill((byte)(value * 255 / max));
        }
    }

    // Indices beyond the palette are gray levels, as in Pillow.
    private static void LookUp(ReadOnlySpan<byte> palette, int index, Span<byte> rgb)
    {
        if (3 * index + 3 <= palette.Length) palette.Slice(3 * index, 3).CopyTo(rgb);
        else rgb.Fill((byte)index);
    }
}

/// <summary>What the samples of a PNG pixel mean, by the number in its header.</summary>
internal enum PngColorType
{
    Gray = 0,
    Rgb = 2,
    Palette = 3,
    GrayAlpha = 4,
    RgbAlpha = 6,
}

/// <summary>One of the sub-pictures that an interlaced PNG is stored as.</summary>
internal readonly record struct PngPass(int Left, int Top, int StepX, int StepY)
{
    public static PngPass[] Plain => [new(0, 0, 1, 1)];

    public static PngPass[] Adam7 => [new(0, 0, 8, 8), new(4, 0, 8, 8), new(0, 4, 4, 8), new(2, 0, 4, 4), new(0, 2, 2, 4), new(1, 0, 2, 2), new(0, 1, 1, 2)];
}
