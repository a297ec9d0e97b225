namespace XComposer2.Native.Server;

/// <summary>Counts answers under way and refuses what exceeds the engine and its queue. Safe to use from several threads.</summary>
/// <param name="capacity">Answers that are generated together, and those that may wait.</param>
internal sealed class RequestGate(int capacity)
{
    private readonly Lock gate = new();
    private readonly List<TaskCompletionSource> waiters = [];
    private int answers;
    private bool isDraining;

    /// <summary>No further request is admitted.</summary>
    public bool IsDraining
    {
        get
        {
            lock (gate)
                return isDraining;
        }
    }

    /// <summary>Answers under way.</summary>
    public int Answers
    {
        get
        {
            lock (gate)
                return answers;
        }
    }

    /// <summary>Admits a request until the result is disposed.</summary>
    /// <param name="count">Its answers.</param>
    /// <exception cref="ApiException">The server is draining (503), the queue is full (429), or the request alone exceeds it (400).</exception>
    public Admission Enter(int count)
    {
        if (count > capacity)
            throw ApiException.Unexpected("n", $"at most {capacity} answers, the capacity of this server", $"{count}");
        lock (gate)
        {
            if (isDraining)
                throw ApiException.NotReady("the server is shutting down");
            if (answers + count > capacity)
                throw new ApiException(429, ApiException.RateLimit, $"the queue is full: {answers} answers are under way or waiting, the limit is {capacity}")
                {
                    Code = "rate_limit_exceeded",
                    RetryAfter = TimeSpan.FromSeconds(1),
                };
            answers += count;
        }

        return new Admission(this, count);
    }

    /// <summary>Refuses further requests from now on; completes when the last one has ended.</summary>
    public Task DrainAsync()
    {
        lock (gate)
        {
            isDraining = true;
            if (answers == 0)
                return Task.CompletedTask;
            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiters.Add(waiter);
            return waiter.Task;
        }
    }

    private void Leave(int count)
    {
        lock (gate)
        {
            answers -= count;
            if (answers > 0 || !isDraining)
                return;
            foreach (TaskCompletionSource waiter in waiters)
                waiter.TrySetResult();
        }
    }

    /// <summary>An admitted request.</summary>
    public sealed class Admission(RequestGate owner, int count) : IDisposable
    {
        private int left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 0)
                owner.Leave(count);
        }
    }
}
