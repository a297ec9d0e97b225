using XComposer2.Native.Model;

namespace XComposer2.Demo.World;

/// <summary>Pictures side by side, for people.</summary>
public static class ContactSheet
{
    private const int Side = 168, Gap = 8, Columns = 8;
    private const byte Grey = 128;

    /// <param name="pictures">At least one; all are drawn at one size, as files.</param>
    public static RgbImage Of(IReadOnlyList<ToyPicture> pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        ArgumentOutOfRangeException.ThrowIfZero(pictures.Count, nameof(pictures));
        int columns = Math.Min(Columns, pictures.Count), rows = (pictures.Count + columns - 1) / columns;
        (int width, int height) = (Gap + (columns * (Side + Gap)), Gap + (rows * (Side + Gap)));
        byte[] pixels = new byte[checked(3 * width * height)];
        Array.Fill(pixels, Grey);
        for (int number = 0; number < pictures.Count; number++)
        {
            ReadOnlySpan<byte> picture = (pictures[number] with { FileSize = Side }).ToFileImage().Pixels.Span;
            (int left, int top) = (Gap + (number % columns * (Side + Gap)), Gap + (number / columns * (Side + Gap)));
            for (int row = 0; row < Side; row++)
                picture.Slice(3 * row * Side, 3 * Side).CopyTo(pixels.AsSpan(3 * (((top + row) * width) + left)));
        }

        return new RgbImage(width, height, pixels);
    }
}
