namespace XComposer2.Native.Composition;

/// <summary>A figure in article.json.</summary>
/// <param name="Caption">Of the figure.</param>
/// <param name="Candidates">Indices of pictures.</param>
/// <param name="Chosen">Index of a candidate; null for none.</param>
internal sealed record StoredFigure(string? Caption, IReadOnlyList<int>? Candidates, int? Chosen);
