using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Times launches by marks in the stream, one pair each. Owns the marks.</summary>
internal sealed class KernelTimer : IDisposable
{
    private const double MicrosecondsPerMillisecond = 1e3;

    // Marks may lie closer together than they can tell apart; a rate over no time would be no number.
    private const double LeastMicroseconds = 1e-3;

    private readonly CudaStream stream;
    private readonly L2Setter cache;
    private readonly CudaEvent[] before;
    private readonly CudaEvent[] after;

    /// <param name="context">Where.</param>
    /// <param name="stream">Not owned.</param>
    /// <param name="cache">Not owned.</param>
    /// <param name="repetitions">Launches that are timed.</param>
    public KernelTimer(CudaContext context, CudaStream stream, L2Setter cache, int repetitions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repetitions, 1);
        this.stream = stream;
        this.cache = cache;
        before = Marks(context, repetitions);
        after = Marks(context, repetitions);
    }

    /// <summary>Microseconds of each launch, after one that is not timed. All are queued before the first is waited for.</summary>
    /// <param name="queue">Queues what is timed.</param>
    public double[] Time(Action queue)
    {
        queue();
        for (int i = 0; i < before.Length; i++)
        {
            cache.Set();
            stream.Record(before[i]);
            queue();
            stream.Record(after[i]);
        }

        stream.Synchronize();
        return [.. before.Zip(after, (start, end) => Math.Max(LeastMicroseconds, end.MillisecondsSince(start) * MicrosecondsPerMillisecond))];
    }

    public void Dispose()
    {
        foreach (CudaEvent mark in (CudaEvent[])[.. before, .. after])
            mark.Dispose();
    }

    private static CudaEvent[] Marks(CudaContext context, int count)
    {
        CudaEvent[] marks = new CudaEvent[count];
        for (int i = 0; i < count; i++)
            marks[i] = CudaEvent.Create(context, isTimed: true);
        return marks;
    }
}
