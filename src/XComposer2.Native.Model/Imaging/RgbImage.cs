namespace XComposer2.Native.Model;

/// <summary>A picture in memory: 8-bit red, green, blue, interleaved, rows from the top, no padding between rows.</summary>
public sealed class RgbImage
{
    /// <summary>Wraps <paramref name="pixels"/>, which the picture owns from here on.</summary>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="pixels">[height, width, 3], exactly that long.</param>
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentNullException.ThrowIfNull(pixels);
        if (pixels.LongLength != 3L * width * height)
            throw new ArgumentException($"{width} x {height} RGB pixels are {3L * width * height} bytes, found {pixels.LongLength}", nameof(pixels));
        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>[height, width, 3]; not to be changed by readers.</summary>
    public ReadOnlyMemory<byte> Pixels { get; }
}
