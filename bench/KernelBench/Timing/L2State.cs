namespace XComposer2.Native.KernelBench;

/// <summary>What the L2 cache holds when a launch that is timed begins.</summary>
public enum L2State : byte
{
    /// <summary>Other memory that was only read, as between the layers of a model: nothing helps and nothing is in the way.</summary>
    Cold,

    /// <summary>Other memory that was written: the launch also waits for that to go to memory. What most benchmarks do, so for comparison with them.</summary>
    Written,

    /// <summary>What the launch before left there.</summary>
    Warm,
}
