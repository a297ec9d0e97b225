namespace XComposer2.Native.Composition.Pictures;

/// <summary>The question, with the names that the original gives its parts.</summary>
internal sealed record SimilarImagesRequest(string Caption, IReadOnlyList<long> Exclude, bool NeedIdxs);
