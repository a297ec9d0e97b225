using System.Numerics;
using System.Runtime.CompilerServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Adds rows to rows on one thread.</summary>
internal static unsafe class RowAddition
{
    /// <summary>target += factor * source.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* source, float factor, float* target, int count)
    {
        int i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            Vector.Store(Vector.Load(target + i) + (Vector.Load(source + i) * factor), target + i);
        for (; i < count; i++)
            target[i] += source[i] * factor;
    }
}

/// <summary>Row rows[i] of the output receives the sum of the rows i that name it: the gradient of looking rows up.</summary>
public static unsafe class ScatterRowsKernel
{
    private const int BlockColumns = 64;

    /// <param name="gradient">[count, columns].</param>
    /// <param name="rows">[count]; negative for none.</param>
    /// <param name="unless">[count]: rows for which it is not negative are left out; null for none.</param>
    /// <param name="count">Rows of <paramref name="gradient"/>.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="output">[outputRows, columns].</param>
    /// <param name="outputRows">Rows of <paramref name="output"/>.</param>
    /// <param name="isCleared">Other rows become zero; otherwise sums are added to what is there.</param>
    /// <param name="pool">Worker threads.</param>
    /// <exception cref="ArgumentOutOfRangeException">A row that is not left out is beyond the output; nothing is written.</exception>
    public static void Run(float* gradient, int* rows, int* unless, int count, int columns, float* output, int outputRows, bool isCleared, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        for (int i = 0; i < count; i++)
            if (rows[i] >= outputRows && (unless is null || unless[i] < 0))
                throw new ArgumentOutOfRangeException(nameof(rows), rows[i], $"entry {i}: the output has {outputRows} rows");
        var work = new Work(gradient, rows, unless, count, columns, output, outputRows, isCleared);
        pool.Run((columns + BlockColumns - 1) / BlockColumns, ref work);
    }

    // A task has some columns of all rows, so that rows which name the same row are added in their order.
    private readonly struct Work(float* gradient, int* rows, int* unless, int count, int columns, float* output, int outputRows, bool isCleared) : IWork
    {
        public void Run(int task, int worker)
        {
            int first = task * BlockColumns, width = Math.Min(BlockColumns, columns - first);
            for (int row = 0; isCleared && row < outputRows; row++)
                new Span<float>(output + ((nint)row * columns) + first, width).Clear();
            for (int i = 0; i < count; i++)
                if (rows[i] >= 0 && (unless is null || unless[i] < 0))
                    RowAddition.Add(gradient + ((nint)i * columns) + first, 1, output + ((nint)rows[i] * columns) + first, width);
        }
    }
}

/// <summary>Copies of columns and rows that gradients need.</summary>
public static unsafe class GradientCopies
{
    /// <summary>Columns from <paramref name="first"/> on.</summary>
    /// <param name="input">[rows, inputColumns].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="inputColumns">Columns of <paramref name="input"/>.</param>
    /// <param name="first">First column.</param>
    /// <param name="output">[rows, columns].</param>
    /// <param name="columns">Columns of <paramref name="output"/>.</param>
    /// <param name="pool">Worker threads.</param>
    public static void SliceColumns(float* input, int rows, int inputColumns, int first, float* output, int columns, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + columns, inputColumns);
        var work = new Copy(input + first, inputColumns, output, columns, columns, 0, RowBlocks.For(rows, columns));
        pool.Run(work.Blocks.Count, ref work);
    }

    /// <summary>A row of zeros before the rows of each picture.</summary>
    /// <param name="gradient">[images x (tokensPerImage - 1), columns].</param>
    /// <param name="images">Pictures.</param>
    /// <param name="tokensPerImage">Rows of a picture, the class token included.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="output">[images x tokensPerImage, columns].</param>
    /// <param name="pool">Worker threads.</param>
    public static void InsertClassTokens(float* gradient, int images, int tokensPerImage, int columns, float* output, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        var work = new Copy(gradient, columns, output, columns, columns, tokensPerImage, RowBlocks.For(images * tokensPerImage, columns));
        pool.Run(work.Blocks.Count, ref work);
    }

    private readonly struct Copy(float* input, nint inputRow, float* output, nint outputRow, int columns, int zeroEach, RowBlocks blocks) : IWork
    {
        public RowBlocks Blocks => blocks;

        public void Run(int task, int worker)
        {
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
            {
                var target = new Span<float>(output + (row * outputRow), columns);
                if (zeroEach == 0)
                    new ReadOnlySpan<float>(input + (row * inputRow), columns).CopyTo(target);
                else if (row % zeroEach == 0)
                    target.Clear();
                else
                    new ReadOnlySpan<float>(input + ((row - (row / zeroEach) - 1) * inputRow), columns).CopyTo(target);
            }
        }
    }
}

/// <summary>Rotation of the queries and keys of one sequence, forwards or backwards.</summary>
public static unsafe class RotaryKernel
{
    /// <param name="packed">[rows, geometry.PackedColumns].</param>
    /// <param name="starts">[rows], the first row of each row's sequence.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="geometry">Head layout.</param>
    /// <param name="table">Of at least so many positions.</param>
    /// <param name="inverse">Turns back what was turned, as a gradient is.</param>
    /// <param name="output">[rows, geometry.PackedColumns].</param>
    /// <param name="pool">Worker threads.</param>
    public static void Run(float* packed, int* starts, int rows, AttentionGeometry geometry, RopeTable table, bool inverse, float* output, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, table.Positions);
        var work = new Work(packed, starts, geometry, table, inverse ? -1 : 1, output, RowBlocks.For(rows, geometry.PackedColumns));
        pool.Run(work.Blocks.Count, ref work);
    }

    private readonly struct Work(float* packed, int* starts, AttentionGeometry geometry, RopeTable table, float direction, float* output, RowBlocks blocks) : IWork
    {
        public RowBlocks Blocks => blocks;

        public void Run(int task, int worker)
        {
            int size = geometry.HeadSize, group = geometry.GroupSize + 2;
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
            {
                float* angles = table.Row(row - starts[row]);
                for (int head = 0; head < geometry.KeyValueHeads * group; head++)
                {
                    nint at = ((nint)row * geometry.PackedColumns) + ((nint)head * size);
                    if (head % group == group - 1)
                        new ReadOnlySpan<float>(packed + at, size).CopyTo(new Span<float>(output + at, size));
                    else
                        Rotate(packed + at, angles, output + at);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Rotate(float* x, float* angles, float* y)
        {
            int half = geometry.HeadSize / 2, i = 0;
            for (; i <= half - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector<float> cosine = Vector.Load(angles + i), sine = Vector.Load(angles + half + i) * direction;
                Vector<float> lower = Vector.Load(x + i), upper = Vector.Load(x + half + i);
                Vector.Store((lower * cosine) - (upper * sine), y + i);
                Vector.Store((upper * cosine) + (lower * sine), y + half + i);
            }

            for (; i < half; i++)
            {
                float cosine = angles[i], sine = angles[half + i] * direction;
                (y[i], y[half + i]) = ((x[i] * cosine) - (x[half + i] * sine), (x[half + i] * cosine) + (x[i] * sine));
            }
        }
    }
}
