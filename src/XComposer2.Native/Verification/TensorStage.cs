namespace XComposer2.Native;

/// <summary>A stage whose numbers were compared.</summary>
/// <param name="Name">Of the stage.</param>
/// <param name="Passed">All values are finite and <paramref name="RelativeL2"/> is at most <paramref name="Tolerance"/>.</param>
/// <param name="Elements">Values compared.</param>
/// <param name="MaximumError">Largest absolute difference.</param>
/// <param name="RelativeL2">|found - expected| / |expected|, Euclidean.</param>
/// <param name="Cosine">Of the angle between the two.</param>
/// <param name="Tolerance">Largest relative L2 that passes.</param>
/// <param name="FirstBad">Index of the first value that is not finite, or where the stage failed, of the first one off by more than the
/// tolerance times the root mean square of the expected values; negative where there is none.</param>
public sealed record TensorStage(
    string Name, bool Passed, long Elements, double MaximumError, double RelativeL2, double Cosine, double Tolerance, long FirstBad)
    : StageResult(Name, Passed);
