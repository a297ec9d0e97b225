using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition;

/// <summary>A source of pictures and what articles call it.</summary>
/// <param name="Name">For the reader, without folders: the article keeps it.</param>
/// <param name="Images">Not owned.</param>
public sealed record PictureSource(string Name, IImageSource Images);
