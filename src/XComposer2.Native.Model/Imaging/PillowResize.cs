namespace XComposer2.Native.Model;

/// <summary>
/// Bicubic resampling equal to Pillow's to the byte: Keys' cubic with a = -0.5, widened by the scale when shrinking, weights in fixed
/// point with 22 fraction bits, and rounding to 8 bits after the horizontal and again after the vertical pass.
/// The model was trained on pictures resized this way.
/// </summary>
public static class PillowResize
{
    /// <summary>Resizes to <paramref name="width"/> x <paramref name="height"/>; the aspect is the caller's business.</summary>
    /// <returns>A new picture, or <paramref name="image"/> itself where it has that size already.</returns>
    public static RgbImage Bicubic(RgbImage image, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        RgbImage current = image;
        // A pass that changes nothing is left out, as its rounding would be.
        if (current.Width != width)
        {
            byte[] narrowed = GC.AllocateUninitializedArray<byte>(checked(3 * width * current.Height));
            ResamplePasses.Horizontal(current, BicubicWeights.Create(current.Width, width), narrowed);
            current = new(width, current.Height, narrowed);
        }
        if (current.Height != height)
        {
            byte[] shortened = GC.AllocateUninitializedArray<byte>(checked(3 * width * height));
            ResamplePasses.Vertical(current, BicubicWeights.Create(current.Height, height), shortened);
            current = new(width, height, shortened);
        }
        return current;
    }
}
