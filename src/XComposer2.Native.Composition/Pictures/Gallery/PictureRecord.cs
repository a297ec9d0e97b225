namespace XComposer2.Native.Composition.Pictures;

/// <summary>What an index keeps of a picture. Immutable.</summary>
/// <param name="File">Path, size and time of the file when it was read.</param>
/// <param name="Hash">SHA-256 of the file.</param>
/// <param name="Features">[CompactFeatures.Length].</param>
/// <param name="Metadata">Words in the file itself; empty for none.</param>
/// <param name="Captions">Written by the model; null where it was not asked.</param>
internal sealed record PictureRecord(FoundPicture File, ContentHash Hash, sbyte[] Features, string Metadata, IReadOnlyList<string>? Captions);
