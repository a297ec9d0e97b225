namespace XComposer2.Native.Training;

/// <summary>The order of samples: each pass over all of them in an order of its own, which the seed and the number of the pass alone decide.</summary>
/// <param name="count">Samples; at least 1.</param>
/// <param name="seed">Of the run.</param>
public sealed class SampleOrder(int count, int seed)
{
    private int[] order = [];
    private long pass = -1;

    /// <summary>Which sample is learnt at a position, counted over all passes.</summary>
    public int At(long position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        (long number, long place) = Math.DivRem(position, count);
        if (number != pass)
        {
            order = [.. Enumerable.Range(0, count)];
            new Random(unchecked((seed * 1_000_003) ^ (int)number)).Shuffle(order);
            pass = number;
        }

        return order[place];
    }
}
