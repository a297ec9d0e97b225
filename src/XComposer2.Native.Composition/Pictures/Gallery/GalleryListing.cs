namespace XComposer2.Native.Composition.Pictures;

/// <summary>What lies in a gallery: pictures in order of their paths, and the texts beside them by path (within the gallery).</summary>
internal sealed record GalleryListing(IReadOnlyList<FoundPicture> Pictures, IReadOnlyDictionary<string, long> TextBytes, int FilesSeen);
