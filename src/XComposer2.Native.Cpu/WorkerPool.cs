namespace XComposer2.Native.Cpu;

/// <summary>Runs the tasks of one piece of work at a time on a fixed set of threads, the caller's included. Not reentrant.</summary>
public sealed class WorkerPool : IDisposable
{
    private bool disposed;

    /// <param name="threads">At least 1; the caller counts as one.</param>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
    }

    public int Threads { get; }

    /// <summary>Runs tasks 0..<paramref name="tasks"/>-1 and returns when all are done. Tasks are handed out in order, one at a time.</summary>
    public void Run<TWork>(int tasks, ref TWork work)
        where TWork : struct, IWork
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        for (int task = 0; task < tasks; task++)
            work.Run(task, 0);
    }

    public void Dispose() => disposed = true;
}
