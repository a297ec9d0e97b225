using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>
/// C = addend + bias + scale * A B, the product of every pass of training. A is read where it lies, by two strides, so that it may be a transpose; B or its transpose is row-major
/// and widened panel by panel. A task is a panel of columns (<see cref="PanelColumns"/>) and a part of the rows. Each element is summed in the order of the steps, in blocks of <see cref="StepBlock"/>, whatever the threads and the vectors.
/// </summary>
internal static unsafe class MatrixProduct
{
    private const int StepBlock = 128;

    private const int PartRows = 192;

    private const long WorkerFloats = (long)(StepBlock + PartRows + 1) * PanelProduct.MostColumns;

    public static long ScratchBytes(int threads) => ScratchCursor.BytesFor(threads * WorkerFloats);

    public static void Run(in ProductProblem problem, ref ScratchCursor cursor, WorkerPool pool, VectorWidth width)
    {
        if (problem.Rows.Rows == 0 || problem.Columns == 0)
            return;
        float* memory = cursor.Floats(pool.Threads * WorkerFloats);
        switch (width.Resolve())
        {
            case VectorWidth.Bits512: Run<Simd512, Vector512<float>>(problem, memory, pool); break;
            case VectorWidth.Bits256: Run<Simd256, Vector256<float>>(problem, memory, pool); break;
            default: Run<Simd128, Vector128<float>>(problem, memory, pool); break;
        }
    }

    private static void Run<TSimd, TVector>(in ProductProblem problem, float* memory, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var panels = new PanelColumns(problem.Columns, TSimd.Count);
        int parts = (problem.Rows.Rows + PartRows - 1) / PartRows;
        var work = new Work<TSimd, TVector>(problem, memory, parts, panels);
        pool.Run(checked(panels.Count * parts), ref work);
    }

    private readonly struct Work<TSimd, TVector>(ProductProblem problem, float* memory, int parts, PanelColumns panels) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public void Run(int task, int worker)
        {
            (int firstColumn, int columns) = panels[task / parts];
            float* panel = memory + (worker * WorkerFloats);
            float* tile = panel + ((nint)StepBlock * columns);
            float* bias = tile + ((nint)PartRows * columns);
            int firstRow = task % parts * PartRows;
            int lastRow = Math.Min(firstRow + PartRows, problem.Rows.Rows);
            bool isFirst = true;
            for (int run = 0; run < problem.Steps.Count; run++)
            {
                (int start, int end) = problem.Steps[run];
                for (int step = start; step < end; step += StepBlock)
                {
                    int steps = Math.Min(StepBlock, end - step);
                    Pack(step, steps, firstColumn, columns, panel);
                    Multiply(step, steps, firstRow, lastRow, columns, panel, tile, isFirst);
                    isFirst = false;
                }
            }

            if (problem.Bias is { } added)
                FloatLoads.Widen<TSimd, TVector>(added.Data, added.Type, firstColumn, bias, Math.Min(columns, problem.Columns - firstColumn));
            else
                bias = null;
            int next = firstRow;
            for (int run = 0; run < problem.Rows.Count && !isFirst; run++)
            {
                (int start, int end) = Within(problem.Rows[run], firstRow, lastRow);
                if (start >= end)
                    continue;
                WriteAddend(next, start, firstColumn, columns);
                for (int row = start; row < end; row++)
                    Write(row, firstColumn, columns, tile + ((nint)(row - firstRow) * columns), bias);
                next = end;
            }

            WriteAddend(next, lastRow, firstColumn, columns);
        }

        private static (int Start, int End) Within((int Start, int End) run, int first, int last) => (Math.Max(run.Start, first), Math.Min(run.End, last));

        private void Multiply(int step, int steps, int firstRow, int lastRow, int columns, float* panel, float* tile, bool isFirst)
        {
            for (int run = 0; run < problem.Rows.Count; run++)
            {
                (int start, int end) = Within(problem.Rows[run], firstRow, lastRow);
                if (start >= end)
                    continue;
                float* a = problem.A + (start * problem.ARow) + (step * problem.AStep);
                float* c = tile + ((nint)(start - firstRow) * columns);
                if (columns == TSimd.Count)
                    NarrowPanelProduct.Multiply<TSimd, TVector>(a, problem.ARow, problem.AStep, end - start, steps, panel, c, !isFirst);
                else if (isFirst)
                    PanelProduct.Multiply<TSimd, TVector>(a, problem.ARow, problem.AStep, end - start, steps, panel, c, null);
                else
                    PanelProduct.MultiplyOnto<TSimd, TVector>(a, problem.ARow, problem.AStep, end - start, steps, panel, c);
            }
        }

        private void Pack(int step, int steps, int firstColumn, int columns, float* panel)
        {
            int count = Math.Min(columns, problem.Columns - firstColumn);
            if (problem.Integers is { } integers)
                IntegerPanels.Pack<TSimd, TVector>(integers, step, steps, firstColumn, count, panel, columns);
            else if (problem.IsTransposed)
                ProductPanels.PackTransposed<TSimd, TVector>(problem.B, step, steps, firstColumn, count, panel, columns);
            else
                ProductPanels.Pack<TSimd, TVector>(problem.B, step, steps, firstColumn, count, panel, columns);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Write(int row, int firstColumn, int columns, float* tile, float* bias)
        {
            int count = Math.Min(columns, problem.Columns - firstColumn);
            nint at = (row * (nint)problem.Columns) + firstColumn;
            float* output = problem.Output + at;
            float* addend = problem.Addend is null ? null : problem.Addend + at;
            TVector scale = TSimd.Broadcast(problem.Scale);
            int i = 0;
            for (; i <= count - TSimd.Count; i += TSimd.Count)
            {
                TVector product = TSimd.Multiply(scale, TSimd.Load(tile + i));
                if (bias is not null)
                    product = TSimd.Add(product, TSimd.Load(bias + i));
                TSimd.Store(addend is null ? product : TSimd.Add(TSimd.Load(addend + i), product), output + i);
            }

            for (; i < count; i++)
            {
                float product = (problem.Scale * tile[i]) + (bias is null ? 0 : bias[i]);
                output[i] = addend is null ? product : addend[i] + product;
            }
        }

        private void WriteAddend(int firstRow, int lastRow, int firstColumn, int columns)
        {
            int count = Math.Min(columns, problem.Columns - firstColumn);
            for (int row = firstRow; row < lastRow; row++)
            {
                nint at = (row * (nint)problem.Columns) + firstColumn;
                var output = new Span<float>(problem.Output + at, count);
                if (problem.Addend is null)
                    output.Clear();
                else if (problem.Addend != problem.Output)
                    new ReadOnlySpan<float>(problem.Addend + at, count).CopyTo(output);
            }
        }
    }
}

/// <summary>How columns are divided into panels: as many as fit are three vectors wide. One or two vectors of columns that are left get panels one vector wide.</summary>
/// <param name="columns">All.</param>
/// <param name="vector">Floats of a vector.</param>
internal readonly struct PanelColumns(int columns, int vector)
{
    private int Wide => (columns + vector - 1) / (3 * vector);

    /// <summary>Panels.</summary>
    public int Count => Wide + ((Math.Max(0, columns - (Wide * 3 * vector)) + vector - 1) / vector);

    /// <summary>First column of a panel, and its width, which may go beyond the last column.</summary>
    public (int First, int Width) this[int panel] => panel < Wide ? (panel * 3 * vector, 3 * vector) : (((2 * Wide) + panel) * vector, vector);
}

/// <summary>Operands of a <see cref="MatrixProduct"/>.</summary>
internal readonly unsafe struct ProductProblem
{
    /// <summary>Element (row, step) at A[row * ARow + step * AStep].</summary>
    public required float* A { get; init; }

    public required nint ARow { get; init; }

    public required nint AStep { get; init; }

    /// <summary>[steps, columns] of a floating type, or [columns, steps] where <see cref="IsTransposed"/>; of <see cref="Integers"/> only the size.</summary>
    public required FloatMatrix B { get; init; }

    /// <summary>C = A Bᵀ.</summary>
    public bool IsTransposed { get; init; }

    /// <summary>Columns of C.</summary>
    public int Columns => IsTransposed ? B.Rows : B.Columns;

    /// <summary>B as integers, which are made floats panel by panel; null where it has a floating type.</summary>
    public WeightMatrix? Integers { get; init; }

    /// <summary>Rows of C that have a product; the others are the addend's.</summary>
    public required RowRuns Rows { get; init; }

    /// <summary>Steps that are summed.</summary>
    public required RowRuns Steps { get; init; }

    public float Scale { get; init; }

    /// <summary>[1, columns], added to rows that have a product; null for none.</summary>
    public FloatMatrix? Bias { get; init; }

    /// <summary>[rows, columns]; may be <see cref="Output"/>; null for zero.</summary>
    public float* Addend { get; init; }

    /// <summary>[rows, columns].</summary>
    public required float* Output { get; init; }

    /// <summary>A weight as <see cref="B"/>.</summary>
    /// <exception cref="ArgumentException">It lacks a part, or is packed for integer products.</exception>
    public static FloatMatrix Elements(in WeightMatrix weight, string name)
    {
        if (weight.Integers is not null)
            throw new ArgumentException($"{weight.Format}: expected a weight as stored, found one that is packed for integer products", name);
        weight.Require(name, weight.Rows, weight.Columns);
        return new FloatMatrix(weight.Elements, weight.Format.IsFloat ? weight.Format.Elements : DType.F32, weight.Rows, weight.Columns);
    }

    /// <summary>A weight as <see cref="Integers"/>.</summary>
    public static WeightMatrix? IntegersOf(in WeightMatrix weight) => weight.Format.IsFloat ? null : weight;
}
