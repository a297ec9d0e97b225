namespace XComposer2.Native.Composition;

/// <summary>Something that did not go as hoped, in a sentence.</summary>
/// <param name="Step">The step in which it happened.</param>
/// <param name="Cause">Whose doing it was.</param>
/// <param name="Text">For the reader; may quote a model's answer.</param>
public sealed record ArticleNote(CompositionStep Step, NoteCause Cause, string Text);
