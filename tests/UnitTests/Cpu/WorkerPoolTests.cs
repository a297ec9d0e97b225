using XComposer2.Native.Cpu;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void Every_task_runs_exactly_once(int threads)
    {
        using var pool = new WorkerPool(threads);
        var runs = new int[300];
        var total = new int[300];
        for (int round = 0; round < 20_000; round++)
        {
            int tasks = round % 300;
            var work = new Counting(runs, threads);
            pool.Run(tasks, ref work);

            // No task of this job is still running, and all results are visible.
            for (int task = 0; task < tasks; task++)
            {
                Assert.Equal(1, runs[task]);
                runs[task] = 0;
                total[task]++;
            }
        }

        Assert.Equal(20_000 - (20_000 / 300) - 1, total[0]);
        Assert.All(runs, count => Assert.Equal(0, count));
    }

    [Fact]
    public void Parked_threads_run_later_jobs()
    {
        using var pool = new WorkerPool(3);
        var runs = new int[8];
        for (int round = 1; round <= 50; round++)
        {
            var work = new Counting(runs, 3);
            pool.Run(8, ref work);
            Assert.All(runs, count => Assert.Equal(round, count));
            Thread.Sleep(round % 3);
        }
    }

    [Fact]
    public void Tasks_run_concurrently_with_one_thread_per_worker()
    {
        using var pool = new WorkerPool(3);
        using var meeting = new Barrier(3);
        var threads = new int[3];
        var work = new Meeting(meeting, threads);
        pool.Run(3, ref work);
        Assert.Equal(3, threads.Distinct().Count());
        Assert.Equal(Environment.CurrentManagedThreadId, threads[0]);
        int[] before = [.. threads];
        pool.Run(3, ref work);
        Assert.Equal(before, threads);
    }

    [Fact]
    public void Single_thread_runs_tasks_in_order_on_the_caller()
    {
        using var pool = new WorkerPool(1);
        var order = new List<int>();
        var work = new Listing(order, -1);
        pool.Run(5, ref work);
        Assert.Equal([0, 1, 2, 3, 4], order);
        Assert.Throws<NotSupportedException>(() =>
        {
            var failing = new Listing(order, 2);
            pool.Run(5, ref failing);
        });
        Assert.Equal([0, 1, 2, 3, 4, 0, 1], order);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Exception_reaches_the_caller_after_all_tasks_have_stopped(int threads)
    {
        using var pool = new WorkerPool(threads);
        for (int round = 0; round < 200; round++)
        {
            var running = new int[1];
            var ran = new int[64];
            int bad = round % 64;
            NotSupportedException error = Assert.Throws<NotSupportedException>(() =>
            {
                var work = new Failing(running, ran, bad);
                pool.Run(64, ref work);
            });
            Assert.Equal($"task {bad}", error.Message);
            Assert.Equal(0, running[0]);
            Assert.All(ran[..bad], count => Assert.Equal(1, count));

            var after = new int[16];
            var next = new Counting(after, threads);
            pool.Run(16, ref next);
            Assert.All(after, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void Nested_run_is_rejected_and_the_pool_remains_usable()
    {
        using var pool = new WorkerPool(2);
        Assert.Throws<InvalidOperationException>(() =>
        {
            var work = new Nested(pool);
            pool.Run(2, ref work);
        });
        var runs = new int[4];
        var next = new Counting(runs, 2);
        pool.Run(4, ref next);
        Assert.All(runs, count => Assert.Equal(1, count));
    }

    [Fact]
    public void Disposal_joins_threads_and_rejects_later_work()
    {
        var threads = new Thread[3];
        using var meeting = new Barrier(3);
        for (int round = 0; round < 20; round++)
        {
            var pool = new WorkerPool(3);
            var work = new Catching(meeting, threads);
            pool.Run(3, ref work);
            if (round % 2 == 0)
                Thread.Sleep(2);
            pool.Dispose();
            pool.Dispose();
            Assert.False(threads[1].IsAlive || threads[2].IsAlive);
            Assert.Throws<ObjectDisposedException>(() => pool.Run(3, ref work));
        }

        new WorkerPool(4).Dispose();
        Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerPool(0));
    }

    [Fact]
    public void Run_allocates_nothing()
    {
        using var pool = new WorkerPool(2);
        var runs = new int[16];
        var work = new Counting(runs, 2);
        for (int i = 0; i < 100; i++)
            pool.Run(16, ref work);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            pool.Run(16, ref work);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Heap_allocated_work_survives_garbage_collection()
    {
        using var pool = new WorkerPool(2);
        for (int round = 0; round < 20; round++)
        {
            var boxes = new Counting[3];
            var runs = new int[64];
            boxes[1] = new Counting(runs, 2, collect: true);
            pool.Run(64, ref boxes[1]);
            Assert.All(runs, count => Assert.Equal(1, count));
        }
    }

    private readonly struct Counting(int[] runs, int threads, bool collect = false) : IWork
    {
        public void Run(int task, int worker)
        {
            Assert.True((uint)worker < (uint)threads);
            if (collect && task == 5)
                GC.Collect();
            Interlocked.Increment(ref runs[task]);
        }
    }

    private readonly struct Meeting(Barrier meeting, int[] threads) : IWork
    {
        public void Run(int task, int worker)
        {
            Assert.True(meeting.SignalAndWait(TimeSpan.FromSeconds(30)));
            threads[worker] = Environment.CurrentManagedThreadId;
        }
    }

    private readonly struct Catching(Barrier meeting, Thread[] threads) : IWork
    {
        public void Run(int task, int worker)
        {
            threads[worker] = Thread.CurrentThread;
            Assert.True(meeting.SignalAndWait(TimeSpan.FromSeconds(30)));
        }
    }

    private readonly struct Listing(List<int> order, int bad) : IWork
    {
        public void Run(int task, int worker)
        {
            if (task == bad)
                throw new NotSupportedException();
            order.Add(task);
        }
    }

    private readonly struct Failing(int[] running, int[] ran, int bad) : IWork
    {
        public void Run(int task, int worker)
        {
            Interlocked.Increment(ref running[0]);
            Interlocked.Increment(ref ran[task]);
            Thread.SpinWait(20);
            Interlocked.Decrement(ref running[0]);
            if (task == bad)
                throw new NotSupportedException($"task {task}");
        }
    }

    private readonly struct Nested(WorkerPool pool) : IWork
    {
        public void Run(int task, int worker)
        {
            var work = new Counting(new int[1], 2);
            pool.Run(1, ref work);
        }
    }
}
