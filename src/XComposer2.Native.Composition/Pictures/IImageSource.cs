namespace XComposer2.Native.Composition.Pictures;

/// <summary>A place where pictures for an article are found by text. Safe to use from several threads.</summary>
public interface IImageSource
{
    /// <summary>Finds pictures.</summary>
    /// <param name="query">What is looked for, and how many.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>At most <see cref="ImageQuery.Count"/> pictures, best first; fewer or none where nothing fits. Each is one that <see cref="Model.ImageDecoder"/> reads.</returns>
    /// <exception cref="ImageSourceException">The source cannot answer; the message is for the person who named the source.</exception>
    ValueTask<IReadOnlyList<ImageCandidate>> SearchAsync(ImageQuery query, CancellationToken cancellationToken);
}
