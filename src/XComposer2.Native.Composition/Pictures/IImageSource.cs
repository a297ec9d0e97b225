using System.Collections.Frozen;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>A searchable source of pictures for articles. Thread-safe.</summary>
public interface IImageSource
{
    /// <summary>Finds pictures.</summary>
    /// <param name="query">Search text and number of pictures.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    /// <returns>At most <see cref="ImageQuery.Count"/> pictures, best first; possibly none. <see cref="Model.ImageDecoder"/> can read each of them.</returns>
    /// <exception cref="ImageSourceException">The source is unavailable. The message is addressed to the user who configured it.</exception>
    ValueTask<IReadOnlyList<ImageCandidate>> SearchAsync(ImageQuery query, CancellationToken cancellationToken);
}

/// <summary>A search for pictures.</summary>
/// <param name="Text">Caption of the wanted picture, in any language.</param>
/// <param name="Count">Maximum number of pictures, at least 1.</param>
public sealed record ImageQuery(string Text, int Count)
{
    /// <summary>IDs (<see cref="ImageCandidate.Id"/>) of pictures to exclude. Unknown IDs are ignored.</summary>
    public IReadOnlySet<string> ExcludedIds { get; init; } = FrozenSet<string>.Empty;
}

/// <summary>A found picture. All texts are untrusted and must be escaped for display.</summary>
/// <param name="Id">Unique and stable within the source.</param>
/// <param name="Name">File name without folders, for messages.</param>
/// <param name="Caption">Description of the picture; null if there is none.</param>
/// <param name="Bytes">The original encoded file; must not be changed.</param>
public sealed record ImageCandidate(string Id, string Name, string? Caption, ReadOnlyMemory<byte> Bytes);

/// <summary>A picture source is unusable or failed. The message names source and reason and can be shown to the user.</summary>
public sealed class ImageSourceException : XComposerException
{
    /// <inheritdoc/>
    public ImageSourceException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public ImageSourceException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
