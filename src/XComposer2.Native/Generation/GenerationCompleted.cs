namespace XComposer2.Native;

/// <summary>The last event of an answer.</summary>
/// <param name="Result">All of it.</param>
public sealed record GenerationCompleted(GenerationResult Result) : GenerationEvent;
