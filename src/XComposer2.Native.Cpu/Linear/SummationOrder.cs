namespace XComposer2.Native.Cpu;

/// <summary>
/// The one order in which every product x Wᵀ is summed: sixteen running sums, sum l over the inputs l, l + 16, l + 32, ... in turn, then
/// sum 0 + sum 1 + ... + sum 15. A few rows keep the sixteen side by side in vector lanes, many rows compute them one after another in packed
/// tiles, and both give the same bits: no result depends on the vector width, the threads, or what else and how much is in the step.
/// </summary>
internal static class SummationOrder
{
    /// <summary>Running sums; the widest vector's floats.</summary>
    public const int Lanes = 16;

    /// <summary>Inputs of each running sum, zeros beyond the last input included.</summary>
    public static int Steps(int inputs) => (int)(((long)inputs + Lanes - 1) / Lanes);
}
