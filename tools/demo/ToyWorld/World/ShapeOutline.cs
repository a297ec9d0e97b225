namespace XComposer2.Demo.World;

/// <summary>A shape as horizontal spans, in pixels.</summary>
/// <param name="Form">Its form.</param>
/// <param name="X">Centre, from the left.</param>
/// <param name="Y">Centre, from the top.</param>
/// <param name="Radius">Half of its extent.</param>
internal readonly record struct ShapeOutline(ShapeForm Form, double X, double Y, double Radius)
{
    /// <summary>Spans of a line, at most.</summary>
    public const int MostSpans = 3;

    private const double SquareSide = 0.88, TriangleBase = 0.85, CrossArm = 0.34, RingHole = 0.64;

    /// <summary>Corners of a star of radius 1, by x and y, from the top: sines and cosines of multiples of 36 degrees, the inner ones times 0.42.</summary>
    private static ReadOnlySpan<double> Star =>
    [
        0, -1, 0.2468698059628387, -0.3397871376374779, 0.9510565162951535, -0.3090169943749474, 0.3994437368439645, 0.1297871376374779,
        0.5877852522924731, 0.8090169943749475, 0, 0.42, -0.5877852522924731, 0.8090169943749475, -0.3994437368439645, 0.1297871376374779,
        -0.9510565162951535, -0.3090169943749474, -0.2468698059628387, -0.3397871376374779,
    ];

    /// <summary>Highest and lowest line.</summary>
    public (double Top, double Bottom) Lines => Form switch
    {
        ShapeForm.Square => (Y - (SquareSide * Radius), Y + (SquareSide * Radius)),
        ShapeForm.Triangle => (Y - Radius, Y + (TriangleBase * Radius)),
        ShapeForm.Star => (Y - Radius, Y + (Star[9] * Radius)),
        _ => (Y - Radius, Y + Radius),
    };

    /// <summary>The covered parts of a line.</summary>
    /// <param name="line">Distance from the top.</param>
    /// <param name="spans">Left and right end of each; room for <see cref="MostSpans"/>.</param>
    /// <returns>Number of spans.</returns>
    public int At(double line, Span<(double Left, double Right)> spans)
    {
        double y = (line - Y) / Radius;
        switch (Form)
        {
            case ShapeForm.Circle:
                return Middle(Half(1, y), spans);
            case ShapeForm.Square:
                return Middle(Math.Abs(y) <= SquareSide ? SquareSide : 0, spans);
            case ShapeForm.Triangle:
                return Middle(y is >= -1 and <= TriangleBase ? (y + 1) / (1 + TriangleBase) : 0, spans);
            case ShapeForm.Cross:
                return Middle(Math.Abs(y) <= CrossArm ? 1 : Math.Abs(y) <= 1 ? CrossArm : 0, spans);
            case ShapeForm.Ring:
                (double outer, double inner) = (Half(1, y), Half(RingHole, y));
                if (inner == 0)
                    return Middle(outer, spans);
                spans[0] = (X - (outer * Radius), X - (inner * Radius));
                spans[1] = (X + (inner * Radius), X + (outer * Radius));
                return 2;
            default:
                return StarSpans(y, spans);
        }
    }

    private static double Half(double radius, double y) => Math.Abs(y) < radius ? Math.Sqrt((radius * radius) - (y * y)) : 0;

    private int Middle(double half, Span<(double Left, double Right)> spans)
    {
        spans[0] = (X - (half * Radius), X + (half * Radius));
        return half > 0 ? 1 : 0;
    }

    private int StarSpans(double y, Span<(double Left, double Right)> spans)
    {
        ReadOnlySpan<double> star = Star;
        Span<double> crossings = stackalloc double[2 * MostSpans];
        int count = 0;
        for (int corner = 0; corner < star.Length; corner += 2)
        {
            int next = (corner + 2) % star.Length;
            (double x0, double y0, double x1, double y1) = (star[corner], star[corner + 1], star[next], star[next + 1]);
            if ((y0 <= y) != (y1 <= y))
                crossings[count++] = x0 + ((y - y0) / (y1 - y0) * (x1 - x0));
        }

        crossings[..count].Sort();
        for (int i = 0; i < count / 2; i++)
            spans[i] = (X + (crossings[2 * i] * Radius), X + (crossings[(2 * i) + 1] * Radius));
        return count / 2;
    }
}
