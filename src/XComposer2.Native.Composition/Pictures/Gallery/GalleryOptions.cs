using XComposer2.Native.Model;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>How a folder of pictures is read.</summary>
public sealed record GalleryOptions
{
    /// <summary>More pictures than these are left out, with a note.</summary>
    public int MaxPictures { get; init; } = 100_000;

    /// <summary>Folders below one another.</summary>
    public int MaxDepth { get; init; } = 32;

    /// <summary>What a picture may ask for; larger ones are skipped with a note.</summary>
    public ImageLimits Limits { get; init; } = ImageLimits.Default with { MaxFileBytes = 64L << 20 };

    /// <summary>Lets the model write a caption for each picture that comes without words.</summary>
    public bool WriteCaptions { get; init; } = true;

    /// <summary>Cosine of features from which on two pictures show the same, over 0 and at most 1. With the demo checkpoint resized and brighter
    /// copies are over the default, most slightly cropped ones and some 70 in 100 noisy ones; for the 7B it has not been measured.</summary>
    public float DuplicateSimilarity { get; init; } = 0.99f;

    /// <summary>Where an index lies whose gallery cannot be written: null for the user's cache folder.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>How often a long indexing saves what it has.</summary>
    public TimeSpan SaveInterval { get; init; } = TimeSpan.FromSeconds(30);
}
