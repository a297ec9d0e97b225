namespace XComposer2.Native;

/// <summary>How far a part of loading is.</summary>
/// <param name="Phase">Which part.</param>
/// <param name="Done">Kernels, or bytes of weights.</param>
/// <param name="Total">Of how many.</param>
public readonly record struct LoadProgress(LoadPhase Phase, long Done, long Total);
