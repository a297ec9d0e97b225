namespace XComposer2.Native;

/// <summary>A stage whose token ids were compared.</summary>
/// <param name="Name">Of the stage.</param>
/// <param name="Passed">All ids are equal, but for those whose golden logits are closer to each other than the tolerance can tell apart.</param>
/// <param name="Expected">Of the golden file.</param>
/// <param name="Found">Of this run, each the most likely one after the expected ids before it.</param>
public sealed record IdStage(string Name, bool Passed, IReadOnlyList<int> Expected, IReadOnlyList<int> Found) : StageResult(Name, Passed);
