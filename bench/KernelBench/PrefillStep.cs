namespace XComposer2.Native.KernelBench;

/// <summary>Rows of one sequence that are computed together.</summary>
/// <param name="Rows">All of them.</param>
/// <param name="VisualRows">Of these, the first ones, which are of pictures and take Partial LoRA.</param>
public readonly record struct PrefillStep(int Rows, int VisualRows);
