using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.UnitTests;

/// <summary>Another source's pictures, the best one first, second, third and last in turn: who always takes the first letter, is seen through.</summary>
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
