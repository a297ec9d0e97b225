using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace XComposer2.Native.Cpu;

/// <summary>
/// The task queue of a pool. One word holds the number of the job and the number of unclaimed tasks, so that a task is claimed by one
/// compare-and-swap, and a late thread can neither claim nor touch tasks of the next job.
/// </summary>
internal sealed unsafe class TaskBoard
{
    private static readonly long SpinTicks = Stopwatch.Frequency / 10_000;

    private Counters counters;

    private int tasks;

    private void* work;

    private delegate*<void*, int, int, void> run;

    private ExceptionDispatchInfo? failure;

    private int entered;

    /// <summary>Rejects other callers until <see cref="Leave"/>.</summary>
    public void Enter()
    {
        if (Interlocked.Exchange(ref entered, 1) != 0)
            throw new InvalidOperationException("the pool is running another job; it is not reentrant");
    }

    public void Leave() => Volatile.Write(ref entered, 0);

    /// <summary>Starts a job; the previous one must have completed.</summary>
    public void Publish(int tasks, void* work, delegate*<void*, int, int, void> run)
    {
        this.tasks = tasks;
        this.work = work;
        this.run = run;
        counters.Completed = 0;
        long piece = Piece(counters.Ticket) + 1;
        Interlocked.Exchange(ref counters.Ticket, (piece << 32) | (uint)tasks);
    }

    /// <summary>Whether a job other than <paramref name="piece"/> has started.</summary>
    public bool HasWorkAfter(long piece) => Piece(Volatile.Read(ref counters.Ticket)) != piece;

    /// <summary>Runs tasks until none are left and returns the number of that job.</summary>
    public long Drain(int worker)
    {
        while (true)
        {
            long ticket = Volatile.Read(ref counters.Ticket);
            int left = (int)ticket;
            if (left == 0)
                return Piece(ticket);

            // Read before the claim: an unchanged ticket then proves that these values belong to it.
            int count = tasks;
            void* address = work;
            delegate*<void*, int, int, void> function = run;
            if (Interlocked.CompareExchange(ref counters.Ticket, ticket - 1, ticket) != ticket)
                continue;
            try
            {
                function(address, count - left, worker);
            }
#pragma warning disable CA1031 // Exceptions of tasks are rethrown to the caller of the pool.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Fail(exception);
            }

            Interlocked.Increment(ref counters.Completed);
        }
    }

    /// <summary>Waits until every task has run or was cancelled.</summary>
    public void AwaitCompletion()
    {
        long start = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref counters.Completed) != tasks)
        {
            // With more threads than processors, the awaited thread may need this processor.
            if (Stopwatch.GetTimestamp() - start < SpinTicks)
                Thread.SpinWait(1);
            else
                Thread.Yield();
        }
    }

    /// <summary>Takes the exception of the first failed task.</summary>
    public ExceptionDispatchInfo? TakeFailure() => Interlocked.Exchange(ref failure, null);

    private static long Piece(long ticket) => ticket >> 32;

    private void Fail(Exception exception)
    {
        Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(exception), null);
        long ticket;
        do
            ticket = Volatile.Read(ref counters.Ticket);
        while (Interlocked.CompareExchange(ref counters.Ticket, Piece(ticket) << 32, ticket) != ticket);
        Interlocked.Add(ref counters.Completed, (int)ticket);
    }

    // Separate pairs of cache lines, because processors prefetch pairs: claims must not slow threads that poll for completion.
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Counters
    {
        [FieldOffset(128)]
        public long Ticket;

        [FieldOffset(256)]
        public int Completed;
    }
}
