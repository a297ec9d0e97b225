namespace XComposer2.Native;

/// <summary>What a running answer reports: <see cref="TextDelta"/> any number of times, then <see cref="GenerationCompleted"/> once.</summary>
public abstract record GenerationEvent;
