using XComposer2.Native.Composition;

namespace XComposer2.Native.UnitTests;

/// <summary>One edit of the fixed cases.</summary>
/// <param name="Sections">Of the article.</param>
/// <param name="Edit">What is done.</param>
/// <param name="Section">From 0.</param>
/// <param name="Instruction">Material or outline.</param>
/// <param name="Mentions">What the new text has to mention.</param>
public sealed record EditCase(IReadOnlyList<string> Sections, SectionEdit Edit, int Section, string Instruction, string Mentions);
