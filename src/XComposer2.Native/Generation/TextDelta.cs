namespace XComposer2.Native;

/// <summary>More text. Never cuts a character; never part of a stop text.</summary>
/// <param name="Text">Not empty.</param>
public sealed record TextDelta(string Text) : GenerationEvent;
