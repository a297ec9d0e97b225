namespace XComposer2.Demo.World;

/// <summary>How an edge spreads over pixels.</summary>
public enum PixelFilter
{
    /// <summary>The share of each pixel that is covered: pictures as files hold them.</summary>
    Area,

    /// <summary>As if a much larger picture had been reduced with the model's bicubic filter: pictures as the vision tower gets them.</summary>
    Cubic,
}

/// <summary>Integrals of the filters' kernels.</summary>
internal static class FilterSteps
{
    /// <summary>Distance in pixels beyond which an edge has no influence.</summary>
    public static double Reach(PixelFilter filter) => filter == PixelFilter.Area ? 0.5 : 2;

    /// <summary>The value of a pixel beside an endless edge.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="inside">Distance of the pixel's centre from the edge, in pixels; negative outside.</param>
    public static double At(PixelFilter filter, double inside)
    {
        if (filter == PixelFilter.Area)
            return Math.Clamp(inside + 0.5, 0, 1);
        double t = Math.Abs(inside);

        // Keys' cubic with a = -0.5, integrated from the middle.
        double half = t >= 2 ? 0.5
            : t <= 1 ? t * (1 + (t * t * ((0.375 * t) - (2.5 / 3))))
            : (-1.0 / 6) + (t * (2 + (t * (-2 + (t * ((2.5 / 3) - (0.125 * t)))))));
        return inside < 0 ? 0.5 - half : 0.5 + half;
    }
}
