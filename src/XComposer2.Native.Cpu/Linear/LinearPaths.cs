using System.Runtime.Intrinsics;

namespace XComposer2.Native.Cpu;

/// <summary>Chooses how a linear runs: streamed for a few rows, packed for many, which sum in the same order, so that the choice changes no bit; and with quantised
/// rows where a weight is packed for integer products.</summary>
internal static unsafe class LinearPaths
{
    public static long ScratchBytes(int rows, int inputs, int outputs, int rank, int branches, int threads, bool hasIntegers)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(outputs);
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        // Integers that are packed need other scratch than the same integers as floats, and which it is the format does not tell.
        long streamed = Math.Max(StreamedLinear.ScratchBytes(rows, rank, branches, threads), hasIntegers ? IntegerLinear.ScratchBytes(rows, inputs, rank, branches, threads) : 0);
        return rows <= StreamedLinear.MostRows ? streamed : Math.Max(streamed, PackedLinear.ScratchBytes(rows, inputs, rank, branches, threads));
    }

    public static void Run(in LinearProblem problem, void* scratch, long scratchBytes, WorkerPool pool, VectorWidth width)
    {
        if (problem.Rows == 0 || problem.Outputs == 0)
            return;
        switch (width.Resolve())
        {
            case VectorWidth.Bits512: Run<Simd512, Vector512<float>>(problem, scratch, scratchBytes, pool); break;
            case VectorWidth.Bits256: Run<Simd256, Vector256<float>>(problem, scratch, scratchBytes, pool); break;
            default: Run<Simd128, Vector128<float>>(problem, scratch, scratchBytes, pool); break;
        }
    }

    private static void Run<TSimd, TVector>(in LinearProblem problem, void* scratch, long scratchBytes, WorkerPool pool)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        if (problem.HasPackedIntegers)
            IntegerLinear.Run<TSimd, TVector>(problem, scratch, scratchBytes, pool);
        else if (problem.Rows <= StreamedLinear.MostRows)
            StreamedLinear.Run<TSimd, TVector>(problem, scratch, scratchBytes, pool);
        else
            PackedLinear.Run<TSimd, TVector>(problem, scratch, scratchBytes, pool);
    }
}

/// <summary>
/// The one order in which every product x Wᵀ of an answer is summed: sixteen running sums, sum l over the inputs l, l + 16, l + 32, ... in turn, then
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
