namespace XComposer2.Native.Composition.Pictures;

/// <summary>What opening a gallery did.</summary>
/// <param name="Pictures">Pictures that can be found now.</param>
/// <param name="Encoded">Of these, how many went through the vision tower.</param>
/// <param name="Captioned">Of these, how many got a caption from the model.</param>
/// <param name="Removed">Pictures of the index whose files are gone.</param>
/// <param name="IndexFile">Where the index lies; null where it could not be kept.</param>
/// <param name="Notes">What was skipped, and why: a sentence each, safe to show.</param>
public sealed record GalleryReport(int Pictures, int Encoded, int Captioned, int Removed, string? IndexFile, IReadOnlyList<string> Notes);
