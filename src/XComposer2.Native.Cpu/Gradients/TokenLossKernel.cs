using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>-log softmax(x Headᵀ)[target] and its gradients. Logits are made for a piece of the rows at a time, whatever the text's length; a gradient makes them again.</summary>
public static unsafe class TokenLossKernel
{
    private const int FewestPieceRows = 64, MostPieceRows = 512;

    private const long PieceBytes = 4L * 1024 * 1024;

    /// <summary>Scratch of all three.</summary>
    public static long ScratchBytes(int rows, int hidden, int vocabulary, int threads)
    {
        int piece = Math.Min(rows, PieceRows(vocabulary));
        return ScratchCursor.BytesFor((long)piece * vocabulary) + ScratchCursor.BytesFor((LinearBytes(piece, hidden, vocabulary, threads) / sizeof(float)) + 16)
            + MatrixProduct.ScratchBytes(threads);
    }

    /// <summary>Rows whose logits exist together.</summary>
    public static int PieceRows(int vocabulary) => (int)Math.Clamp(PieceBytes / (sizeof(float) * (long)vocabulary), FewestPieceRows, MostPieceRows);

    /// <summary>The loss of each row.</summary>
    public static void Losses(in TokenLossOperands operands, float* losses, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        for (int first = 0; first < operands.Rows; first += PieceRows(operands.Head.Rows))
            _ = Logits(operands, first, losses + first, 1, null, pool, width, out _);
    }

    /// <summary>The loss of each row, and 1 where no token is likelier than the target.</summary>
    /// <param name="operands">Operands.</param>
    /// <param name="scores">[rows, 2].</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void Scores(in TokenLossOperands operands, float* scores, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        for (int first = 0; first < operands.Rows; first += PieceRows(operands.Head.Rows))
            _ = Logits(operands, first, scores + (2 * (nint)first), 2, null, pool, width, out _);
    }

    /// <summary>The gradient by the rows: factor * (softmax - one-hot) Head.</summary>
    /// <param name="operands">Operands.</param>
    /// <param name="factors">[rows], one for each loss.</param>
    /// <param name="output">[rows, hidden].</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void InputGradient(in TokenLossOperands operands, float* factors, float* output, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        for (int first = 0; first < operands.Rows; first += PieceRows(operands.Head.Rows))
        {
            float* slopes = Logits(operands, first, null, 1, factors + first, pool, width, out ScratchCursor cursor);
            var problem = new ProductProblem
            {
                A = slopes, ARow = operands.Head.Rows, AStep = 1, B = ProductProblem.Elements(operands.Head, nameof(operands)), Integers = ProductProblem.IntegersOf(operands.Head), Rows = RowRuns.All(Math.Min(PieceRows(operands.Head.Rows), operands.Rows - first)),
                Steps = RowRuns.All(operands.Head.Rows), Scale = 1, Output = output + ((nint)first * operands.Head.Columns),
            };
            MatrixProduct.Run(problem, ref cursor, pool, width);
        }
    }

    /// <summary>Adds to the gradient by the head.</summary>
    /// <param name="operands">Operands.</param>
    /// <param name="factors">[rows], one for each loss.</param>
    /// <param name="sum">[vocabulary, hidden], added to.</param>
    /// <param name="pool">Worker threads.</param>
    /// <param name="width">Vector width.</param>
    public static void HeadGradient(in TokenLossOperands operands, float* factors, float* sum, WorkerPool pool, VectorWidth width = VectorWidth.Best)
    {
        for (int first = 0; first < operands.Rows; first += PieceRows(operands.Head.Rows))
        {
            float* slopes = Logits(operands, first, null, 1, factors + first, pool, width, out ScratchCursor cursor);
            int rows = Math.Min(PieceRows(operands.Head.Rows), operands.Rows - first);
            var problem = new ProductProblem
            {
                A = slopes, ARow = 1, AStep = operands.Head.Rows, B = new FloatMatrix((nint)(operands.Input + ((nint)first * operands.Head.Columns)), DType.F32, rows, operands.Head.Columns),
                Rows = RowRuns.All(operands.Head.Rows), Steps = RowRuns.All(rows), Scale = 1, Addend = sum, Output = sum,
            };
            MatrixProduct.Run(problem, ref cursor, pool, width);
        }
    }

    private static long LinearBytes(int rows, int hidden, int vocabulary, int threads) =>
        Math.Max(LinearKernel.ScratchBytes(rows, hidden, vocabulary, 0, threads), TrainedLinearKernel.ScratchBytes(rows, 0, threads));

    // The logits of a piece; or what they become: losses, each perhaps with its hit beside it, or slopes in place.
    private static float* Logits(in TokenLossOperands operands, int first, float* losses, int stride, float* factors, WorkerPool pool, VectorWidth width, out ScratchCursor cursor)
    {
        ArgumentNullException.ThrowIfNull(pool);
        WeightMatrix head = operands.Head;
        int rows = Math.Min(PieceRows(operands.Head.Rows), operands.Rows - first);
        cursor = new ScratchCursor(operands.Scratch, operands.ScratchBytes);
        float* logits = cursor.Floats((long)rows * head.Rows);
        long linearBytes = LinearBytes(rows, head.Columns, head.Rows, pool.Threads);
        float* input = operands.Input + ((nint)first * head.Columns), linear = cursor.Floats((linearBytes / sizeof(float)) + 16);
        if (head.Format.IsFloat)
            TrainedLinearKernel.Run(input, rows, ProductProblem.Elements(head, nameof(operands)), null, null, null, null, logits, linear, linearBytes, pool, width);
        else
            LinearKernel.Run(input, rows, head, null, Activation.None, null, null, null, logits, linear, linearBytes, pool, width);
        for (int row = 0; row < rows; row++)
            if ((uint)operands.Targets[first + row] >= (uint)head.Rows)
                throw new ArgumentOutOfRangeException(nameof(operands), operands.Targets[first + row], $"target {first + row}: the vocabulary has {head.Rows} tokens");
        switch (width.Resolve())
        {
            case VectorWidth.Bits512: Rows<Simd512, Vector512<float>>(logits, rows, head.Rows, operands.Targets + first, losses, stride, factors, pool); break;
            case VectorWidth.Bits256: Rows<Simd256, Vector256<float>>(logits, rows, head.Rows, operands.Targets + first, losses, stride, factors, pool); break;
            default: Rows<Simd128, Vector128<float>>(logits, rows, head.Rows, operands.Targets + first, losses, stride, factors, pool); break;
        }

        return logits;
    }

    private static void Rows<TSimd, TVector>(float* logits, int rows, int vocabulary, int* targets, float* losses, int stride, float* factors, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var work = new Work<TSimd, TVector>(logits, vocabulary, targets, losses, stride, factors);
        pool.Run(rows, ref work);
    }

    private readonly struct Work<TSimd, TVector>(float* logits, int vocabulary, int* targets, float* losses, int stride, float* factors) : IWork
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int task, int worker)
        {
            float* row = logits + ((nint)task * vocabulary);
            int target = targets[task], i = 0;
            float largest = float.NegativeInfinity;
            if (vocabulary >= TSimd.Count)
            {
                TVector most = TSimd.Load(row);
                for (i = TSimd.Count; i <= vocabulary - TSimd.Count; i += TSimd.Count)
                    most = TSimd.Max(most, TSimd.Load(row + i));
                largest = TSimd.MaxAcross(most);
            }

            for (; i < vocabulary; i++)
                largest = Math.Max(largest, row[i]);
            float chosen = row[target];
            double sum = 0;
            TVector shift = TSimd.Broadcast(largest), factor = TSimd.Broadcast(Exponential.Log2E);
            for (i = 0; i <= vocabulary - TSimd.Count; i += TSimd.Count)
            {
                TVector power = Exponential.PowerOfTwo<TSimd, TVector>(TSimd.Multiply(TSimd.Subtract(TSimd.Load(row + i), shift), factor));
                sum += TSimd.Sum(power);
                TSimd.Store(power, row + i);
            }

            for (; i < vocabulary; i++)
                sum += row[i] = MathF.Exp(row[i] - largest);
            if (losses is not null)
                losses[(nint)task * stride] = (float)(Math.Log(sum) + largest - chosen);
            if (losses is not null && stride > 1)
                losses[((nint)task * stride) + 1] = chosen >= largest ? 1 : 0;
            if (factors is null)
                return;
            float share = (float)(factors[task] / sum);
            TVector shares = TSimd.Broadcast(share);
            for (i = 0; i <= vocabulary - TSimd.Count; i += TSimd.Count)
                TSimd.Store(TSimd.Multiply(TSimd.Load(row + i), shares), row + i);
            for (; i < vocabulary; i++)
                row[i] *= share;
            row[target] -= factors[task];
        }
    }
}

/// <summary>What the losses of some rows are made of.</summary>
public readonly unsafe struct TokenLossOperands
{
    /// <summary>[rows, hidden].</summary>
    public required float* Input { get; init; }

    public required int Rows { get; init; }

    /// <summary>[vocabulary, hidden] as stored; integers are not packed.</summary>
    public required WeightMatrix Head { get; init; }

    /// <summary>[rows].</summary>
    public required int* Targets { get; init; }

    /// <summary>Of <see cref="TokenLossKernel.ScratchBytes"/>.</summary>
    public required void* Scratch { get; init; }

    public required long ScratchBytes { get; init; }
}
