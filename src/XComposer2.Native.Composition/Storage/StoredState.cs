namespace XComposer2.Native.Composition;

/// <summary>A state of the history in article.json.</summary>
internal sealed record StoredState(string? Change, IReadOnlyList<StoredSection?>? Sections, IReadOnlyList<StoredNote?>? Notes);
