namespace XComposer2.Native.UnitTests;

/// <summary>An article of the fixed cases.</summary>
/// <param name="Instruction">Instruction for the model.</param>
/// <param name="Objects">Objects to mention, each with one figure after its section.</param>
/// <param name="Figures">Requested number of figures; null leaves it to the model.</param>
public sealed record CompositionCase(string Instruction, IReadOnlyList<string> Objects, int? Figures);
