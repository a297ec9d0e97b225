namespace XComposer2.Native;

/// <summary>A finished verification.</summary>
/// <param name="Model">The checkpoint in words.</param>
/// <param name="Device">What it ran on.</param>
/// <param name="Tolerance">Largest relative L2 that passed; with quantised weights the vision stages, which are not quantised, had a smaller one.</param>
/// <param name="Stages">In the order of the network.</param>
public sealed record VerificationReport(string Model, string Device, double Tolerance, IReadOnlyList<StageResult> Stages)
{
    /// <summary>True where there is a stage and all of them passed.</summary>
    public bool Passed => Stages.Count > 0 && Stages.All(stage => stage.Passed);
}
