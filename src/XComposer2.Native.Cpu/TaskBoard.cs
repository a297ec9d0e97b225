using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace XComposer2.Native.Cpu;

/// <summary>
/// Where a pool's threads take tasks from. One word holds the number of the piece of work and how many of its tasks are left, so that a task is
/// claimed by one compare-and-swap, and a thread that comes late to a piece can neither claim nor touch anything of the next one.
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

    /// <summary>Refuses a second caller until <see cref="Leave"/>.</summary>
    public void Enter()
    {
        if (Interlocked.Exchange(ref entered, 1) != 0)
            throw new InvalidOperationException("the pool is running another piece of work; it is not reentrant");
    }

    public void Leave() => Volatile.Write(ref entered, 0);

    /// <summary>Opens a piece of work; the one before has completed.</summary>
    public void Publish(int tasks, void* work, delegate*<void*, int, int, void> run)
    {
        this.tasks = tasks;
        this.work = work;
        this.run = run;
        counters.Completed = 0;
        long piece = Piece(counters.Ticket) + 1;
        Interlocked.Exchange(ref counters.Ticket, (piece << 32) | (uint)tasks);
    }

    /// <summary>A piece other than <paramref name="piece"/> has been opened.</summary>
    public bool HasWorkAfter(long piece) => Piece(Volatile.Read(ref counters.Ticket)) != piece;

    /// <summary>Runs tasks until none are left, and says of which piece none are left.</summary>
    public long Drain(int worker)
    {
        while (true)
        {
            long ticket = Volatile.Read(ref counters.Ticket);
            int left = (int)ticket;
            if (left == 0)
                return Piece(ticket);

            // Read before the claim: that the ticket is still the same then proves that these belong to it.
            int count = tasks;
            void* address = work;
            delegate*<void*, int, int, void> function = run;
            if (Interlocked.CompareExchange(ref counters.Ticket, ticket - 1, ticket) != ticket)
                continue;
            try
            {
                function(address, count - left, worker);
            }
#pragma warning disable CA1031 // Whatever a task threw is thrown again where the work was started.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Fail(exception);
            }

            Interlocked.Increment(ref counters.Completed);
        }
    }

    /// <summary>Waits until every task has run or was called off.</summary>
    public void AwaitCompletion()
    {
        long start = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref counters.Completed) != tasks)
        {
            // With more threads than processors, the one waited for may need this one's.
            if (Stopwatch.GetTimestamp() - start < SpinTicks)
                Thread.SpinWait(1);
            else
                Thread.Yield();
        }
    }

    /// <summary>What the first task to fail threw, once.</summary>
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

    // Each on cache lines of its own (processors fetch them in pairs): claims must not slow whoever watches for completion.
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Counters
    {
        [FieldOffset(128)]
        public long Ticket;

        [FieldOffset(256)]
        public int Completed;
    }
}
