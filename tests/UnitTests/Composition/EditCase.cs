using XComposer2.Native.Composition;

namespace XComposer2.Native.UnitTests;

/// <summary>An edit of the fixed cases.</summary>
/// <param name="Sections">Sections of the article.</param>
/// <param name="Edit">The edit.</param>
/// <param name="Section">Index of the section, from 0.</param>
/// <param name="Instruction">Material or outline.</param>
/// <param name="Mentions">Text that the result must mention.</param>
public sealed record EditCase(IReadOnlyList<string> Sections, SectionEdit Edit, int Section, string Instruction, string Mentions);
