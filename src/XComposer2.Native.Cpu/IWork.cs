namespace XComposer2.Native.Cpu;

/// <summary>Work cut into tasks that may run in any order on any thread. A struct, so that the pool calls it without a virtual call or a box.</summary>
public interface IWork
{
    /// <param name="task">0 to the task count.</param>
    /// <param name="worker">Index of the running thread, below <see cref="WorkerPool.Threads"/>: for per-thread scratch.</param>
    void Run(int task, int worker);
}
