namespace XComposer2.Native.Composition;

/// <summary>The article after one change.</summary>
/// <param name="Change">What was done, in words, for example "rewrite section 2".</param>
/// <param name="Article">As it was then.</param>
public sealed record ArticleState(string Change, Article Article);
