using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Gradients of RMS norm and layer norm. With h the normalised row and r its factor, a row's gradient is r (w g - h mean(w g h)), minus r mean(w g) where the norm centres;
/// the weight's is the sum of g h over the rows.
/// </summary>
public static unsafe class NormGradientKernels
{
    private const int BlockColumns = 256;

    /// <summary>Scratch of <see cref="Weight"/>: mean and factor of each row.</summary>
    public static long WeightScratchBytes(int rows) => ScratchCursor.BytesFor(2L * rows);

    /// <param name="gradient">[rows, columns].</param>
    /// <param name="input">[rows, columns], what the norm was given.</param>
    /// <param name="weight">[1, columns].</param>
    /// <param name="epsilon">Of the norm.</param>
    /// <param name="isCentred">Layer norm.</param>
    /// <param name="addend">[rows, columns]; null for none.</param>
    /// <param name="output">[rows, columns].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void Input(
        float* gradient, float* input, FloatMatrix weight, float epsilon, bool isCentred, float* addend, float* output, int rows, int columns, WorkerPool pool,
        VectorWidth width = VectorWidth.Best)
    {
        ArgumentNullException.ThrowIfNull(pool);
        FloatLoads.Require(weight, nameof(weight), 1, columns);
        var problem = new Problem(gradient, input, weight, epsilon, isCentred, addend, output, columns);
        switch (width.Resolve())
        {
            case VectorWidth.Bits512: Input<Simd512, Vector512<float>>(problem, rows, pool); break;
            case VectorWidth.Bits256: Input<Simd256, Vector256<float>>(problem, rows, pool); break;
            default: Input<Simd128, Vector128<float>>(problem, rows, pool); break;
        }
    }

    /// <param name="gradient">[rows, columns].</param>
    /// <param name="input">[rows, columns], what the norm was given.</param>
    /// <param name="epsilon">Of the norm.</param>
    /// <param name="isCentred">Layer norm.</param>
    /// <param name="sum">[columns], added to.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="scratch">Of <see cref="WeightScratchBytes"/>.</param>
    /// <param name="scratchBytes">Size of <paramref name="scratch"/>.</param>
    /// <param name="pool">Worker threads.</param>
    public static void Weight(
        float* gradient, float* input, float epsilon, bool isCentred, float* sum, int rows, int columns, void* scratch, long scratchBytes, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        float* facts = new ScratchCursor(scratch, scratchBytes).Floats(2L * rows);
        var rowWork = new Facts(input, epsilon, isCentred, facts, columns, RowBlocks.For(rows, columns));
        pool.Run(rowWork.Blocks.Count, ref rowWork);
        var work = new Sums(gradient, input, facts, sum, rows, columns);
        pool.Run((columns + BlockColumns - 1) / BlockColumns, ref work);
    }

    private static void Input<TSimd, TVector>(in Problem problem, int rows, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var work = new Rows<TSimd, TVector>(problem, RowBlocks.For(rows, problem.Columns));
        pool.Run(work.Blocks.Count, ref work);
    }

    private static (float Mean, float Factor) FactsOf<TSimd, TVector>(float* x, int columns, float epsilon, bool isCentred)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        float mean = isCentred ? RowSums.Values<TSimd, TVector>(x, columns) / columns : 0;
        return (mean, 1f / MathF.Sqrt((RowSums.Squares<TSimd, TVector>(x, columns, mean) / columns) + epsilon));
    }

    private readonly struct Problem(float* gradient, float* input, FloatMatrix weight, float epsilon, bool isCentred, float* addend, float* output, int columns)
    {
        public readonly float* Gradient = gradient;
        public readonly float* Input = input;
        public readonly FloatMatrix Weight = weight;
        public readonly float Epsilon = epsilon;
        public readonly bool IsCentred = isCentred;
        public readonly float* Addend = addend;
        public readonly float* Output = output;
        public readonly int Columns = columns;
    }

    private readonly struct Rows<TSimd, TVector>(Problem problem, RowBlocks blocks) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        public RowBlocks Blocks => blocks;

        public void Run(int task, int worker)
        {
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
            {
                nint at = (nint)row * problem.Columns;
                Row(problem.Gradient + at, problem.Input + at, problem.Addend is null ? null : problem.Addend + at, problem.Output + at);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Row(float* g, float* x, float* addend, float* output)
        {
            int columns = problem.Columns, width = TSimd.Count, i = 0;
            (float mean, float factor) = FactsOf<TSimd, TVector>(x, columns, problem.Epsilon, problem.IsCentred);
            TVector means = TSimd.Broadcast(mean), factors = TSimd.Broadcast(factor);
            TVector sums = TSimd.Broadcast(0f), products = sums;
            for (; i <= columns - width; i += width)
            {
                TVector weighted = TSimd.Multiply(TSimd.Load(g + i), FloatLoads.Vector<TSimd, TVector>(problem.Weight.Data, problem.Weight.Type, i));
                sums = TSimd.Add(sums, weighted);
                products = TSimd.MultiplyAdd(weighted, TSimd.Multiply(TSimd.Subtract(TSimd.Load(x + i), means), factors), products);
            }

            float sum = TSimd.Sum(sums), product = TSimd.Sum(products);
            for (; i < columns; i++)
            {
                float weighted = g[i] * FloatLoads.Scalar(problem.Weight.Data, problem.Weight.Type, i);
                sum += weighted;
                product += weighted * ((x[i] - mean) * factor);
            }

            float centre = problem.IsCentred ? sum / columns : 0, slope = product / columns;
            TVector centres = TSimd.Broadcast(centre), slopes = TSimd.Broadcast(slope);
            for (i = 0; i <= columns - width; i += width)
            {
                TVector weighted = TSimd.Multiply(TSimd.Load(g + i), FloatLoads.Vector<TSimd, TVector>(problem.Weight.Data, problem.Weight.Type, i));
                TVector normed = TSimd.Multiply(TSimd.Subtract(TSimd.Load(x + i), means), factors);
                TVector result = TSimd.Multiply(factors, TSimd.Subtract(TSimd.Subtract(weighted, centres), TSimd.Multiply(normed, slopes)));
                TSimd.Store(addend is null ? result : TSimd.Add(TSimd.Load(addend + i), result), output + i);
            }

            for (; i < columns; i++)
            {
                float weighted = g[i] * FloatLoads.Scalar(problem.Weight.Data, problem.Weight.Type, i);
                float result = factor * (weighted - centre - ((x[i] - mean) * factor * slope));
                output[i] = addend is null ? result : addend[i] + result;
            }
        }
    }

    private readonly struct Facts(float* input, float epsilon, bool isCentred, float* facts, int columns, RowBlocks blocks) : IWork
    {
        public RowBlocks Blocks => blocks;

        public void Run(int task, int worker)
        {
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
                (facts[2 * row], facts[(2 * row) + 1]) = FactsOf<Simd128, Vector128<float>>(input + ((nint)row * columns), columns, epsilon, isCentred);
        }
    }

    private readonly struct Sums(float* gradient, float* input, float* facts, float* sum, int rows, int columns) : IWork
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int task, int worker)
        {
            int first = task * BlockColumns, count = Math.Min(BlockColumns, columns - first);
            float* part = stackalloc float[BlockColumns];
            new Span<float>(part, count).Clear();
            for (int row = 0; row < rows; row++)
            {
                float mean = facts[2 * row], factor = facts[(2 * row) + 1];
                float* g = gradient + ((nint)row * columns) + first;
                float* x = input + ((nint)row * columns) + first;
                int i = 0;
                for (; i <= count - 4; i += 4)
                {
                    Vector128<float> normed = (Vector128.Load(x + i) - Vector128.Create(mean)) * factor;
                    (Vector128.Load(part + i) + (Vector128.Load(g + i) * normed)).Store(part + i);
                }

                for (; i < count; i++)
                    part[i] += g[i] * ((x[i] - mean) * factor);
            }

            RowAddition.Add(part, 1, sum + first, count);
        }
    }
}
