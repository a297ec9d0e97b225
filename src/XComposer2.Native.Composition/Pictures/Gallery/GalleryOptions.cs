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

/// <summary>How far indexing is.</summary>
/// <param name="Done">Pictures that are finished, skipped ones too.</param>
/// <param name="Total">Pictures that are there.</param>
/// <param name="Name">The last one, as a path within the gallery; safe to show.</param>
public readonly record struct GalleryProgress(int Done, int Total, string Name);

/// <summary>What opening a gallery did.</summary>
/// <param name="Pictures">Pictures that can be found now.</param>
/// <param name="Encoded">Of these, how many went through the vision tower.</param>
/// <param name="Captioned">Of these, how many got a caption from the model.</param>
/// <param name="Removed">Pictures of the index whose files are gone.</param>
/// <param name="IndexFile">Where the index lies; null where it could not be kept.</param>
/// <param name="Notes">What was skipped, and why: a sentence each, safe to show.</param>
public sealed record GalleryReport(int Pictures, int Encoded, int Captioned, int Removed, string? IndexFile, IReadOnlyList<string> Notes);

/// <summary>Sentences about what was skipped; a gallery of damaged files does not fill the memory with them. Not thread-safe.</summary>
internal sealed class GalleryNotes
{
    private const int MaxNotes = 100;
    private const int MaxNoteLength = 500;

    private readonly List<string> notes = [];
    private int left;

    public void Add(string note)
    {
        if (notes.Count < MaxNotes)
            notes.Add(CaptionText.Clean(note, MaxNoteLength));
        else
            left++;
    }

    public IReadOnlyList<string> ToList() => left == 0 ? [.. notes] : [.. notes, $"and {left} notes more"];
}
