namespace XComposer2.Native.Cpu;

/// <summary>Drops elements by chance and scales the others. A number of 32 bits for each element comes from a hash of seed, stream and place (SplitMix64's finaliser), so that the same
/// elements are dropped whatever the threads, and again in the backward pass and in a resumed run.</summary>
public static unsafe class DropoutKernel
{
    private const int Block = 16 * 1024;

    /// <param name="input">[count].</param>
    /// <param name="seed">Of this run.</param>
    /// <param name="stream">Of this operation.</param>
    /// <param name="rate">Share that is dropped, below 1.</param>
    /// <param name="output">[count].</param>
    /// <param name="count">Elements.</param>
    /// <param name="pool">Worker threads.</param>
    public static void Run(float* input, int seed, int stream, float rate, float* output, long count, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (!(rate >= 0 && rate < 1))
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "expected 0 or more, below 1");
        var work = new Work(input, Mix(((ulong)(uint)seed << 32) | (uint)stream), (uint)(rate * (double)(1L << 32)), 1 / (1 - rate), output, count);
        pool.Run(checked((int)((count + Block - 1) / Block)), ref work);
    }

    private static ulong Mix(ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
        return state ^ (state >> 31);
    }

    private readonly struct Work(float* input, ulong key, uint limit, float scale, float* output, long count) : IWork
    {
        // Two elements share a hash.
        public void Run(int task, int worker)
        {
            long start = (long)task * Block, end = Math.Min(count, start + Block);
            for (long i = start; i < end; i += 2)
            {
                ulong bits = Mix(key + (ulong)i);
                output[i] = (uint)bits < limit ? 0 : input[i] * scale;
                if (i + 1 < end)
                    output[i + 1] = (uint)(bits >> 32) < limit ? 0 : input[i + 1] * scale;
            }
        }
    }
}
