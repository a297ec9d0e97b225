using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.UnitTests;

/// <summary>Pictures in memory, ranked by the number of query words in their captions.</summary>
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
