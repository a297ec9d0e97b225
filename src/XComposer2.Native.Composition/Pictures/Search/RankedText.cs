namespace XComposer2.Native.Composition.Pictures;

/// <summary>A text that fits a query.</summary>
/// <param name="Document">Its number.</param>
/// <param name="Score">Over 0; more is better.</param>
internal readonly record struct RankedText(int Document, float Score);
