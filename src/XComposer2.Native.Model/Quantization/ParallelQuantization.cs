namespace XComposer2.Native.Model;

/// <summary>Quantises the rows of a matrix on all processors.</summary>
internal static class ParallelQuantization
{
    /// <summary>Fills a matrix of integers. Where a part fails, or the work is cancelled, the matrix is disposed, and the failure is thrown as the part threw it.</summary>
    /// <param name="result">What is filled.</param>
    /// <param name="count">Of the parts: rows, or chunks of rows.</param>
    /// <param name="quantize">Quantises the part of a number from 0; several at the same time.</param>
    /// <param name="cancellation">Takes effect between parts.</param>
    /// <exception cref="InvalidDataException">A weight is NaN or infinite.</exception>
    public static TMatrix Fill<TMatrix>(TMatrix result, int count, Action<int> quantize, CancellationToken cancellation)
        where TMatrix : IQuantizedMatrix
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { CancellationToken = cancellation }, quantize);
            return result;
        }
        catch (AggregateException failures) when (failures.InnerException is InvalidDataException)
        {
            result.Dispose();
            throw failures.InnerException;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }
}
