using System.Runtime.Intrinsics;

namespace XComposer2.Native.Cpu;

/// <summary>Chooses how a linear runs: streamed for a few rows, packed for many. Both sum in the same order, so the choice changes no bit.</summary>
internal static unsafe class LinearPaths
{
    public static long ScratchBytes(int rows, int inputs, int outputs, int rank, int branches, int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(outputs);
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        long streamed = StreamedLinear.ScratchBytes(rows, rank, branches, threads);
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
        if (problem.Rows <= StreamedLinear.MostRows)
            StreamedLinear.Run<TSimd, TVector>(problem, scratch, scratchBytes, pool);
        else
            PackedLinear.Run<TSimd, TVector>(problem, scratch, scratchBytes, pool);
    }
}
