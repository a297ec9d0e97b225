using System.Diagnostics;
using XComposer2.Native.Cpu;

namespace XComposer2.Native.HostBench;

/// <summary>Measures the cost of dispatching a job to all threads of a pool and waiting for it.</summary>
internal static class HandOverProbe
{
    private const int TaskMicroseconds = 20;

    private const int Pieces = 2000;

    /// <summary>Median microseconds beyond the task's own time, with one task per thread and decoder-like work between jobs.</summary>
    public static double Microseconds(WorkerPool pool)
    {
        var costs = new List<double>();
        for (int i = 0; i < Pieces; i++)
        {
            var work = new Spin();
            long start = Stopwatch.GetTimestamp();
            pool.Run(pool.Threads, ref work);
            costs.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds - TaskMicroseconds);
        }

        return Median.Of(costs);
    }

    private readonly struct Spin : IWork
    {
        public void Run(int task, int worker)
        {
            long start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start).TotalMicroseconds < TaskMicroseconds)
            {
            }
        }
    }
}
