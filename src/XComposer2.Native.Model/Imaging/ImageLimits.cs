namespace XComposer2.Native.Model;

/// <summary>What a picture may ask for before anything is allocated for it.</summary>
/// <param name="MaxPixels">Width times height, as the file's header states them.</param>
/// <param name="MaxFileBytes">Size of the encoded file.</param>
/// <param name="MaxSide">Width and height each: a ribbon within <paramref name="MaxPixels"/> would still be huge after the first pass of a resize.</param>
public readonly record struct ImageLimits(long MaxPixels, long MaxFileBytes, int MaxSide = 65_535)
{
    /// <summary>100 megapixels and 256 MiB: beyond any camera's photo, 300 MB decoded.</summary>
    public static ImageLimits Default => new(100_000_000, 256L << 20);
}
