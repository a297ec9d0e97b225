namespace XComposer2.Native.Composition;

/// <summary>A section in article.json.</summary>
internal sealed record StoredSection(string? Text, StoredFigure? Figure);
