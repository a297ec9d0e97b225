namespace XComposer2.Native.HostBench;

/// <summary>Medians over the rounds of one alternating run.</summary>
/// <param name="Shape">The measured shape.</param>
/// <param name="Rate">GB/s of weights for a stream shape, otherwise GFLOP/s.</param>
/// <param name="Yardstick">The machine's read bandwidth or multiply-add rate, in the same unit and rounds.</param>
/// <param name="OfYardstick">Median of the ratios per round.</param>
/// <param name="Lowest">Lowest ratio.</param>
/// <param name="Highest">Highest ratio.</param>
/// <param name="Undisturbed">Number of rounds without other load just before and after. Only these count; if it is 0, all rounds do.</param>
/// <param name="OpenBlasRate">GFLOP/s; null if OpenBLAS was not measured.</param>
/// <param name="OfOpenBlas">Median of the ratios per round.</param>
internal sealed record LinearResult(
    LinearShape Shape, double Rate, double Yardstick, double OfYardstick, double Lowest, double Highest, int Undisturbed, double? OpenBlasRate, double? OfOpenBlas);
