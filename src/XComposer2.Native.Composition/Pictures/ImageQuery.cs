using System.Collections.Frozen;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>What is looked for.</summary>
/// <param name="Text">A caption of the wanted picture, in any language.</param>
/// <param name="Count">How many pictures at most, at least 1.</param>
public sealed record ImageQuery(string Text, int Count)
{
    /// <summary>Pictures that are not wanted (again), by <see cref="ImageCandidate.Id"/>. Unknown ones do no harm.</summary>
    public IReadOnlySet<string> ExcludedIds { get; init; } = FrozenSet<string>.Empty;
}
