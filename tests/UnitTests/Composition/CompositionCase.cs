namespace XComposer2.Native.UnitTests;

/// <summary>One article of the fixed cases.</summary>
/// <param name="Instruction">For the model.</param>
/// <param name="Objects">Each is to be mentioned, and to have one figure after its section.</param>
/// <param name="Figures">How many are asked for; null leaves it to the model.</param>
public sealed record CompositionCase(string Instruction, IReadOnlyList<string> Objects, int? Figures);
