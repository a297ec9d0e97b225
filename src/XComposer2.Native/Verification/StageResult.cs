namespace XComposer2.Native;

/// <summary>What one stage of a verification found: a <see cref="TensorStage"/> or an <see cref="IdStage"/>.</summary>
/// <param name="Name">For example "one_image: layer 3".</param>
/// <param name="Passed">Within tolerance.</param>
public abstract record StageResult(string Name, bool Passed);
