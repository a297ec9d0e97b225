namespace XComposer2.Native.Model;

/// <summary>From a picture to the vision tower's input.</summary>
public static class ImagePreprocessor
{
    private static ReadOnlySpan<float> Mean => [0.48145466f, 0.4578275f, 0.40821073f];

    private static ReadOnlySpan<float> Deviation => [0.26862954f, 0.26130258f, 0.27577711f];

    /// <summary>Resizes to a square and normalises with CLIP's mean and deviation.</summary>
    /// <param name="image">Any size.</param>
    /// <param name="size">Side of the square, S.</param>
    /// <param name="mode">What happens to the aspect.</param>
    /// <param name="destination">[3, S, S], all of it written; exactly that long.</param>
    public static void Run(RgbImage image, int size, SquareMode mode, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        int plane = checked(size * size);
        if (destination.Length != 3L * plane)
            throw new ArgumentException($"[3, {size}, {size}] has {3L * plane} values, found {destination.Length}", nameof(destination));
        RgbImage square = PillowResize.Bicubic(mode == SquareMode.SquarePad ? PadToSquare(image) : image, size, size);
        ReadOnlySpan<byte> pixels = square.Pixels.Span;
        Span<float> levels = stackalloc float[256];
        for (int channel = 0; channel < 3; channel++)
        {
            for (int level = 0; level < levels.Length; level++) levels[level] = (level / 255f - Mean[channel]) / Deviation[channel];
            Span<float> target = destination.Slice(channel * plane, plane);
            for (int index = 0; index < target.Length; index++) target[index] = levels[pixels[3 * index + channel]];
        }
    }

    /// <summary>Centres the picture on a black square of its longer side; the odd pixel goes below or to the right.</summary>
    /// <exception cref="ImageException">The square is larger than an array can be.</exception>
    public static RgbImage PadToSquare(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Width == image.Height) return image;
        int side = Math.Max(image.Width, image.Height);
        // A ribbon of a picture passes the limit on pixels, while its square has many times as many.
        if (3L * side * side > Array.MaxLength)
            throw new ImageException($"a picture of {image.Width} x {image.Height} cannot be padded to {side} x {side}: over {Array.MaxLength / 3} pixels");
        byte[] padded = new byte[3 * side * side];
        int top = (side - image.Height) / 2;
        int left = (side - image.Width) / 2;
        for (int row = 0; row < image.Height; row++)
            image.Pixels.Span.Slice(3 * row * image.Width, 3 * image.Width).CopyTo(padded.AsSpan(3 * ((top + row) * side + left)));
        return new(side, side, padded);
    }
}

/// <summary>How a picture of any aspect becomes the square that the vision tower wants.</summary>
public enum SquareMode
{
    /// <summary>Both sides are resized to the square's; the aspect is not kept. What chat does.</summary>
    Squash,

    /// <summary>Black bars first make the picture square, centred. What the evaluation of MME and HallusionBench does.</summary>
    SquarePad,
}
