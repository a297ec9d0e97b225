using System.Diagnostics;
using XComposer2.Native.Cpu;

namespace XComposer2.Native.HostBench;

/// <summary>What it costs to hand a piece of work to all threads of a pool and to collect it again.</summary>
internal static class HandOverProbe
{
    private const int TaskMicroseconds = 20;

    private const int Pieces = 2000;

    /// <summary>Median microseconds beyond the task's own time, where every thread has one task and works between pieces as a decoder does.</summary>
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
