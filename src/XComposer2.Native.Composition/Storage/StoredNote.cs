namespace XComposer2.Native.Composition;

/// <summary>A note in article.json.</summary>
internal sealed record StoredNote(CompositionStep Step, NoteCause Cause, string? Text);
