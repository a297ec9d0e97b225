namespace XComposer2.Native.Cpu;

/// <summary>Row i of the output is row rows[i] of the input.</summary>
public static unsafe class SelectRowsKernel
{
    /// <param name="input">[inputRows, columns].</param>
    /// <param name="inputRows">Rows of <paramref name="input"/>.</param>
    /// <param name="rows">[count], in any order, repeats allowed.</param>
    /// <param name="count">Rows of <paramref name="output"/>.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="output">[count, columns]; may not overlap <paramref name="input"/>.</param>
    /// <param name="pool">Worker threads.</param>
    /// <exception cref="ArgumentOutOfRangeException">A row index is out of range; nothing is written.</exception>
    public static void Run(float* input, int inputRows, int* rows, int count, int columns, float* output, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        for (int i = 0; i < count; i++)
            if ((uint)rows[i] >= (uint)inputRows)
                throw new ArgumentOutOfRangeException(nameof(rows), rows[i], $"entry {i}: the input has {inputRows} rows");
        var work = new Work(input, rows, columns, output, RowBlocks.For(count, columns));
        pool.Run(work.Blocks.Count, ref work);
    }

    private readonly struct Work(float* input, int* rows, int columns, float* output, RowBlocks blocks) : IWork
    {
        public RowBlocks Blocks => blocks;

        public void Run(int task, int worker)
        {
            long rowBytes = columns * (long)sizeof(float);
            for (int i = blocks.Start(task); i < blocks.End(task); i++)
                Buffer.MemoryCopy(input + ((nint)rows[i] * columns), output + ((nint)i * columns), rowBytes, rowBytes);
        }
    }
}

/// <summary>Removes the class token, row 0 of each picture.</summary>
public static unsafe class SelectPatchesKernel
{
    /// <param name="input">[images x tokensPerImage, columns].</param>
    /// <param name="images">Number of pictures.</param>
    /// <param name="tokensPerImage">Patches + 1.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="output">[images x (tokensPerImage - 1), columns]; may not overlap <paramref name="input"/>.</param>
    /// <param name="pool">Worker threads.</param>
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
