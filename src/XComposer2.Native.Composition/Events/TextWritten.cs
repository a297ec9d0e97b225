namespace XComposer2.Native.Composition;

/// <summary>More text of the article, or of the section that is edited, as the model writes it. Never cuts a character.</summary>
/// <param name="Text">Not empty.</param>
public sealed record TextWritten(string Text) : CompositionEvent;
