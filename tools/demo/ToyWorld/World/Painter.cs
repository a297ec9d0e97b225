using XComposer2.Native.Model;

namespace XComposer2.Demo.World;

/// <summary>
/// Draws pictures with smooth edges. Each line of pixels has several lines of spans: along them the filter's integral is exact, across them it is summed. Only arithmetic that is
/// equal on every machine is used.
/// </summary>
internal static class Painter
{
    private const int SpanLines = 4;

    /// <param name="picture">What is drawn.</param>
    /// <param name="size">Side in pixels.</param>
    /// <param name="filter">Of the edges.</param>
    public static RgbImage Paint(ToyPicture picture, int size, PixelFilter filter)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        byte[] pixels = new byte[checked(3 * size * size)];
        Fill(pixels, picture.Background);
        foreach (DrawnShape shape in picture.Shapes)
            Draw(pixels, size, shape, picture.Background, filter);
        return new RgbImage(size, size, pixels);
    }

    private static void Fill(Span<byte> pixels, Rgb color)
    {
        for (int i = 0; i < pixels.Length; i += 3)
            (pixels[i], pixels[i + 1], pixels[i + 2]) = (color.Red, color.Green, color.Blue);
    }

    private static void Draw(Span<byte> pixels, int size, DrawnShape shape, Rgb background, PixelFilter filter)
    {
        ShapeOutline outline = new(shape.Form, shape.X * size, shape.Y * size, shape.Radius * size);
        double reach = FilterSteps.Reach(filter);
        (double top, double bottom) = outline.Lines;
        int left = Math.Max(0, (int)Math.Floor(outline.X - outline.Radius - reach)), right = Math.Min(size, (int)Math.Ceiling(outline.X + outline.Radius + reach));
        int first = Math.Max(0, (int)Math.Floor(top - reach)), end = Math.Min(size, (int)Math.Ceiling(bottom + reach));
        (int width, int height) = (right - left, end - first);
        if (width <= 0 || height <= 0)
            return;
        float[] covered = new float[width * height];
        float[] line = new float[width];
        Span<(double Left, double Right)> spans = stackalloc (double, double)[ShapeOutline.MostSpans];
        for (int number = (int)Math.Floor(top * SpanLines); number < bottom * SpanLines; number++)
        {
            // The part of this line that lies within the shape.
            double upper = Math.Max(top, (double)number / SpanLines), lower = Math.Min(bottom, (double)(number + 1) / SpanLines);
            int count = lower <= upper ? 0 : outline.At((upper + lower) / 2, spans);
            if (count == 0)
                continue;
            Array.Clear(line);
            foreach ((double from, double to) in spans[..count])
                AddSpan(line, left, from, to, filter, reach);
            for (int row = Math.Max(first, (int)Math.Floor(upper - reach)); row < Math.Min(end, (int)Math.Ceiling(lower + reach)); row++)
            {
                float weight = (float)(FilterSteps.At(filter, row + 0.5 - upper) - FilterSteps.At(filter, row + 0.5 - lower));
                Span<float> target = covered.AsSpan((row - first) * width, width);
                for (int column = 0; column < target.Length; column++)
                    target[column] += weight * line[column];
            }
        }

        Blend(pixels, size, covered, (left, first, width, height), background, shape.Fill);
    }

    private static void AddSpan(Span<float> line, int left, double from, double to, PixelFilter filter, double reach)
    {
        int first = Math.Max(0, (int)Math.Floor(from - reach) - left), end = Math.Min(line.Length, (int)Math.Ceiling(to + reach) - left);
        for (int column = first; column < end; column++)
        {
            double middle = left + column + 0.5;
            line[column] += (float)(FilterSteps.At(filter, middle - from) - FilterSteps.At(filter, middle - to));
        }
    }

    // Shapes have cells of their own: beside each other they add their differences from the background.
    private static void Blend(Span<byte> pixels, int size, ReadOnlySpan<float> covered, (int Left, int Top, int Width, int Height) place, Rgb background, Rgb fill)
    {
        (float red, float green, float blue) = (fill.Red - background.Red, fill.Green - background.Green, fill.Blue - background.Blue);
        for (int row = 0; row < place.Height; row++)
        {
            Span<byte> target = pixels.Slice(3 * (((place.Top + row) * size) + place.Left), 3 * place.Width);
            for (int column = 0; column < place.Width; column++)
            {
                float share = covered[(row * place.Width) + column];
                target[3 * column] = Level(target[3 * column] + (share * red));
                target[(3 * column) + 1] = Level(target[(3 * column) + 1] + (share * green));
                target[(3 * column) + 2] = Level(target[(3 * column) + 2] + (share * blue));
            }
        }
    }

    private static byte Level(float value) => (byte)Math.Clamp((int)(value + 0.5f), 0, 255);
}
