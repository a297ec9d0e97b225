namespace XComposer2.Native.Cpu;

/// <summary>Drops the class token, row 0 of each picture.</summary>
public static unsafe class SelectPatchesKernel
{
    /// <param name="input">[images x tokensPerImage, columns].</param>
    /// <param name="images">Pictures.</param>
    /// <param name="tokensPerImage">Patches + 1.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="output">[images x (tokensPerImage - 1), columns]; may not overlap <paramref name="input"/>.</param>
    /// <param name="pool">Threads to run on.</param>
    public static void Run(float* input, int images, int tokensPerImage, int columns, float* output, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokensPerImage, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        var work = new Work(input, tokensPerImage - 1, columns, output, RowBlocks.For(checked(images * (tokensPerImage - 1)), columns));
        pool.Run(work.Blocks.Count, ref work);
    }

    private readonly struct Work(float* input, int patches, int columns, float* output, RowBlocks blocks) : IWork
    {
        public RowBlocks Blocks => blocks;

        public void Run(int task, int worker)
        {
            long rowBytes = columns * (long)sizeof(float);
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
                Buffer.MemoryCopy(input + ((row + (row / patches) + 1) * (nint)columns), output + (row * (nint)columns), rowBytes, rowBytes);
        }
    }
}
