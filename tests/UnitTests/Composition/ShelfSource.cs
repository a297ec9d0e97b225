using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.UnitTests;

/// <summary>Pictures in memory, found by the words of their captions; the more words of the query a caption has, the earlier.</summary>
internal sealed class ShelfSource(params ImageCandidate[] pictures) : IImageSource
{
    public List<ImageQuery> Queries { get; } = [];

    public ValueTask<IReadOnlyList<ImageCandidate>> SearchAsync(ImageQuery query, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Queries.Add(query);
        string[] words = query.Text.Split(' ');
        IEnumerable<ImageCandidate> found = pictures
            .Where(picture => !query.ExcludedIds.Contains(picture.Id))
            .OrderByDescending(picture => words.Count(word => (picture.Caption ?? "").Contains(word, StringComparison.Ordinal)))
            .Take(query.Count);
        return ValueTask.FromResult<IReadOnlyList<ImageCandidate>>([.. found]);
    }
}
