namespace XComposer2.Native.Cli;

/// <summary>The tensors of one part of the model.</summary>
/// <param name="Kind">Name of the part.</param>
/// <param name="Count">How many.</param>
/// <param name="Types">Element types as the files name them.</param>
/// <param name="Elements">Numbers in all of them.</param>
/// <param name="Bytes">In the files.</param>
internal sealed record InspectedKind(string Kind, int Count, IReadOnlyList<string> Types, long Elements, long Bytes);
