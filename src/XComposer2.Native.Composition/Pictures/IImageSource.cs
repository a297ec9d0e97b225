using System.Collections.Frozen;

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

/// <summary>What is looked for.</summary>
/// <param name="Text">A caption of the wanted picture, in any language.</param>
/// <param name="Count">How many pictures at most, at least 1.</param>
public sealed record ImageQuery(string Text, int Count)
{
    /// <summary>Pictures that are not wanted (again), by <see cref="ImageCandidate.Id"/>. Unknown ones do no harm.</summary>
    public IReadOnlySet<string> ExcludedIds { get; init; } = FrozenSet<string>.Empty;
}

/// <summary>A picture that was found. All its texts come from outside: whoever shows them escapes them.</summary>
/// <param name="Id">Unique and stable within the source.</param>
/// <param name="Name">For messages: a file's name without its folders.</param>
/// <param name="Caption">What is known of the picture in words; null where nothing is.</param>
/// <param name="Bytes">The encoded file as it was found; not to be changed.</param>
public sealed record ImageCandidate(string Id, string Name, string? Caption, ReadOnlyMemory<byte> Bytes);

/// <summary>A source of pictures that cannot be used, or cannot answer. The message names it and the reason, for the user as it stands.</summary>
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
