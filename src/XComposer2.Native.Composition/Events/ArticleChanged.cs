namespace XComposer2.Native.Composition;

/// <summary>There is more of the article: a section, a place, a caption, a figure, or a note.</summary>
/// <param name="Article">All of it so far.</param>
public sealed record ArticleChanged(Article Article) : CompositionEvent;
