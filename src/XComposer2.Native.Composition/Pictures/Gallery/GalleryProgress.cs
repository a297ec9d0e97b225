namespace XComposer2.Native.Composition.Pictures;

/// <summary>How far indexing is.</summary>
/// <param name="Done">Pictures that are finished, skipped ones too.</param>
/// <param name="Total">Pictures that are there.</param>
/// <param name="Name">The last one, as a path within the gallery; safe to show.</param>
public readonly record struct GalleryProgress(int Done, int Total, string Name);
