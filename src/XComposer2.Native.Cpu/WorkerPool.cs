using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Runs the tasks of one piece of work at a time on a fixed set of threads, the caller's included. Not reentrant.
/// Threads start at the first piece of more than one task, in the background. Between pieces they spin for some tens of microseconds, so that a
/// decoder's next piece starts within about one, and then park: an idle process burns nothing.
/// </summary>
public sealed unsafe class WorkerPool : IDisposable
{
    private static readonly long SpinTicks = Stopwatch.Frequency / 20_000;

    private readonly object parking = new();

    private readonly TaskBoard board = new();

    private Thread[]? workers;

    private int parked;

    private volatile bool disposed;

    /// <param name="threads">At least 1; the caller counts as one.</param>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
    }

    public int Threads { get; }

    /// <summary>Runs tasks 0..<paramref name="tasks"/>-1 and returns when all are done. Tasks are handed out in order, one at a time.
    /// The first exception of a task keeps tasks not yet handed out from running and is thrown here when those under way have ended.</summary>
    /// <exception cref="InvalidOperationException">Another piece of work is running.</exception>
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

            // The work may lie in an object; on the stack, where it usually is, this costs nothing.
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

    /// <summary>Ends the threads and waits for them. Not while a piece of work runs.</summary>
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
            // Counted before the last look: either that look sees the work, or the caller sees the count.
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

/// <summary>Work cut into tasks that may run in any order on any thread. A struct, so that the pool calls it without a virtual call or a box.</summary>
public interface IWork
{
    /// <param name="task">0 to the task count.</param>
    /// <param name="worker">Index of the running thread, below <see cref="WorkerPool.Threads"/>: for per-thread scratch.</param>
    void Run(int task, int worker);
}

/// <summary>Rows cut into tasks large enough to be worth handing out. Does not depend on the number of threads.</summary>
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

    /// <summary>Tasks.</summary>
    public int Count => (int)(((long)rows + blockRows - 1) / blockRows);

    /// <param name="rows">Rows in all.</param>
    /// <param name="columns">Elements of one row, at least 1.</param>
    public static RowBlocks For(int rows, int columns) => new(rows, Math.Max(1, TaskElements / columns));

    public int Start(int task) => task * blockRows;

    public int End(int task) => (int)Math.Min(rows, ((long)task + 1) * blockRows);
}
