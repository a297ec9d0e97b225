namespace XComposer2.Native.Composition;

/// <summary>A paragraph, or a heading in Markdown (<c>### ...</c>). One line: no line ends inside.</summary>
/// <param name="Text">Not empty.</param>
/// <param name="Figure">The figure after this section; null where there is none.</param>
public sealed record ArticleSection(string Text, ArticleFigure? Figure = null);
