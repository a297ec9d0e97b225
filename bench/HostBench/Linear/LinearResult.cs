namespace XComposer2.Native.HostBench;

/// <summary>Medians over the rounds of one alternating run.</summary>
/// <param name="Shape">What was measured.</param>
/// <param name="Rate">GB/s of weights where the shape is a stream, else GFLOP/s.</param>
/// <param name="Yardstick">The machine's read bandwidth or its multiply-adds, in the same unit and rounds.</param>
/// <param name="OfYardstick">Median of the rounds' ratios.</param>
/// <param name="Lowest">Lowest of them.</param>
/// <param name="Highest">Highest of them.</param>
/// <param name="Undisturbed">Rounds that count: nothing else took much of the machine just before and after. At 0 all rounds are in the figures.</param>
/// <param name="OpenBlasRate">GFLOP/s; null where it was not asked or is not there.</param>
/// <param name="OfOpenBlas">Median of the rounds' ratios.</param>
internal sealed record LinearResult(
    LinearShape Shape, double Rate, double Yardstick, double OfYardstick, double Lowest, double Highest, int Undisturbed, double? OpenBlasRate, double? OfOpenBlas);
