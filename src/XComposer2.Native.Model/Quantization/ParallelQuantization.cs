namespace XComposer2.Native.Model;

/// <summary>Works on the rows of a matrix on all processors.</summary>
internal static class ParallelQuantization
{
    /// <summary>Runs all parts; a failure of the data is thrown as the part threw it.</summary>
    /// <param name="count">Of the parts: rows, or chunks of rows.</param>
    /// <param name="part">Does the part of a number from 0; several at the same time.</param>
    /// <param name="cancellation">Takes effect between parts.</param>
    /// <exception cref="InvalidDataException">Of a part: a weight is NaN or infinite, or out of range.</exception>
    public static void Run(int count, Action<int> part, CancellationToken cancellation)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { CancellationToken = cancellation }, part);
        }
        catch (AggregateException failures) when (failures.InnerException is InvalidDataException)
        {
            throw failures.InnerException;
        }
    }

    /// <summary>The same to fill a matrix of integers, which is disposed where a part fails or the work is cancelled.</summary>
    /// <param name="result">What is filled.</param>
    /// <param name="count">Of the parts.</param>
    /// <param name="part">Fills the part of a number from 0.</param>
    /// <param name="cancellation">Takes effect between parts.</param>
    /// <exception cref="InvalidDataException">A weight is NaN or infinite.</exception>
    public static TMatrix Fill<TMatrix>(TMatrix result, int count, Action<int> part, CancellationToken cancellation)
        where TMatrix : IQuantizedMatrix
    {
        try
        {
            Run(count, part, cancellation);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }
}
