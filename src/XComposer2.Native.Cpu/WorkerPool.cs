using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Runs the tasks of one job at a time on a fixed set of threads, including the caller's. Not reentrant. Background threads start with the
/// first job of more than one task. Between jobs they spin for some tens of microseconds, so that the next job of a decoder starts within
/// about one microsecond, and then park without using the processor.
/// </summary>
public sealed unsafe class WorkerPool : IDisposable
{
    private static readonly long SpinTicks = Stopwatch.Frequency / 20_000;

    private readonly object parking = new();

    private readonly TaskBoard board = new();

    private Thread[]? workers;

    private int parked;

    private volatile bool disposed;

    /// <param name="threads">At least 1, including the caller.</param>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
    }

    public int Threads { get; }

    /// <summary>Runs tasks 0..<paramref name="tasks"/>-1 in order of claim and returns when all are done.
    /// The first exception cancels unclaimed tasks and is rethrown when the running ones have ended.</summary>
    /// <exception cref="InvalidOperationException">Another job is running.</exception>
    public void Run<TWork>(int tasks, ref TWork work)
        where TWork : struct, IWork
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(tasks);
        board.Enter();
        try
        {
            if (Threads == 1 || tasks <= 1)
            {
                for (int task = 0; task < tasks; task++)
                    work.Run(task, 0);
                return;
            }

            StartOnce();

            // The work may be a field of an object, so it is pinned; for the usual stack variable this is free.
            fixed (byte* address = &Unsafe.As<TWork, byte>(ref work))
            {
                board.Publish(tasks, address, &RunTask<TWork>);
                Wake(tasks - 1);
                board.Drain(0);
                board.AwaitCompletion();
            }

            board.TakeFailure()?.Throw();
        }
        finally
        {
            board.Leave();
        }
    }

    /// <summary>Ends the threads and waits for them. Must not be called during a job.</summary>
    public void Dispose()
    {
        lock (parking)
        {
            disposed = true;
            Monitor.PulseAll(parking);
        }

        foreach (Thread thread in workers ?? [])
            thread.Join();
        workers = null;
    }

    private static void RunTask<TWork>(void* work, int task, int worker)
        where TWork : struct, IWork => Unsafe.AsRef<TWork>(work).Run(task, worker);

    private void StartOnce()
    {
        if (workers is not null)
            return;
        workers = new Thread[Threads - 1];
        for (int i = 0; i < workers.Length; i++)
        {
            int worker = i + 1;
            workers[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"xc2 worker {worker}" };
            workers[i].Start();
        }
    }

    private void Work(int worker)
    {
        while (!disposed)
        {
            long seen = board.Drain(worker);
            if (!Spin(seen))
                Park(seen);
        }
    }

    private bool Spin(long seen)
    {
        long start = Stopwatch.GetTimestamp();
        do
        {
            for (int i = 0; i < 16; i++)
            {
                if (board.HasWorkAfter(seen) || disposed)
                    return true;
                Thread.SpinWait(1);
            }
        }
        while (Stopwatch.GetTimestamp() - start < SpinTicks);
        return false;
    }

    private void Park(long seen)
    {
        lock (parking)
        {
            // Incremented before the last check: either the check sees the work, or the publisher sees the count.
            Interlocked.Increment(ref parked);
            while (!board.HasWorkAfter(seen) && !disposed)
                Monitor.Wait(parking);
            Interlocked.Decrement(ref parked);
        }
    }

    private void Wake(int wanted)
    {
        if (Volatile.Read(ref parked) == 0)
            return;
        lock (parking)
        {
            for (int i = Math.Min(wanted, Threads - 1); i > 0; i--)
                Monitor.Pulse(parking);
        }
    }
}

/// <summary>A job whose tasks may run in any order on any thread. A struct, so that the pool calls it without virtual dispatch or boxing.</summary>
public interface IWork
{
    /// <param name="task">0 to the task count, exclusive.</param>
    /// <param name="worker">Index of the running thread, below <see cref="WorkerPool.Threads"/>, for per-thread scratch.</param>
    void Run(int task, int worker);
}

/// <summary>Splits rows into tasks large enough to amortise scheduling. Independent of the thread count.</summary>
internal readonly struct RowBlocks
{
    private const int TaskElements = 16 * 1024;

    private readonly int rows;

    private readonly int blockRows;

    private RowBlocks(int rows, int blockRows)
    {
        this.rows = rows;
        this.blockRows = blockRows;
    }

    /// <summary>Number of tasks.</summary>
    public int Count => (int)(((long)rows + blockRows - 1) / blockRows);

    /// <param name="rows">Total number of rows.</param>
    /// <param name="columns">Elements per row, at least 1.</param>
    public static RowBlocks For(int rows, int columns) => new(rows, Math.Max(1, TaskElements / columns));

    public int Start(int task) => task * blockRows;

    public int End(int task) => (int)Math.Min(rows, ((long)task + 1) * blockRows);
}
