using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.UnitTests;

/// <summary>Rotates the results of another source, so that the best one is first, second, third and last in turn. Detects a model that always chooses the first.</summary>
internal sealed class RotatedSource(IImageSource source) : IImageSource
{
    private int searches;

    public async ValueTask<IReadOnlyList<ImageCandidate>> SearchAsync(ImageQuery query, CancellationToken cancellationToken)
    {
        IReadOnlyList<ImageCandidate> found = await source.SearchAsync(query, cancellationToken);
        int shift = searches++ % Math.Max(1, found.Count);
        return [.. found.TakeLast(shift), .. found.SkipLast(shift)];
    }
}
