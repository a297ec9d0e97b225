namespace XComposer2.Native.Composition;

/// <summary>Work on a step begins.</summary>
/// <param name="Step">Which.</param>
/// <param name="Number">Of how many like it, from 1.</param>
/// <param name="Total">How many there are.</param>
/// <param name="Subject">What it is about, in the article's words; empty where there is nothing to say.</param>
public sealed record StepStarted(CompositionStep Step, int Number, int Total, string Subject = "") : CompositionEvent;
