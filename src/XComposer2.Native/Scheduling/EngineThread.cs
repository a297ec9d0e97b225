using System.Collections.Concurrent;

namespace XComposer2.Native;

/// <summary>The one thread that computes: it runs a scheduler's iterations while there is work, and sleeps otherwise. Safe to use from several threads.</summary>
internal sealed class EngineThread : IAsyncDisposable, IDisposable
{
    private readonly Scheduler scheduler;
    private readonly ConcurrentQueue<Action> inbox = new();
    private readonly ConcurrentQueue<Action> jobs = new();
    private readonly SemaphoreSlim wake = new(0);
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private readonly Thread thread;
    private volatile bool isStopping;

    /// <param name="scheduler">Owned; disposed on the thread.</param>
    public EngineThread(Scheduler scheduler)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        this.scheduler = scheduler;
        thread = new Thread(Run) { Name = "xc2 engine", IsBackground = true };
        thread.Start();
    }

    /// <summary>Puts a request into the queue. Its outcome tells the rest.</summary>
    public void Submit(AnswerRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.EndWith(stop.Token);
        if (!TryPost(inbox, () => scheduler.Add(request)))
            request.Fail(new ObjectDisposedException(nameof(XComposerEngine)));
    }

    /// <summary>Runs something else that needs the model, between two iterations.</summary>
    /// <param name="job">Short: it delays all answers.</param>
    /// <param name="cancellation">Ends the wait, and is handed to the job.</param>
    public Task<T> RunAsync<T>(Func<CancellationToken, T> job, CancellationToken cancellation)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!TryPost(jobs, Work))
            result.SetException(new ObjectDisposedException(nameof(XComposerEngine)));
        return result.Task;

        void Work()
        {
            try
            {
                ObjectDisposedException.ThrowIf(isStopping, typeof(XComposerEngine));
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stop.Token);
                either.Token.ThrowIfCancellationRequested();
                result.SetResult(job(either.Token));
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                result.SetCanceled(cancellation);
            }
            catch (OperationCanceledException)
            {
                result.SetException(new ObjectDisposedException(nameof(XComposerEngine)));
            }
            catch (Exception failure)
            {
                result.SetException(failure);
            }
        }
    }

    /// <summary>Ends all requests, and waits for the iteration under way.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Ends all requests; done when the thread has ended.</summary>
    public ValueTask DisposeAsync()
    {
        bool isFirst;
        lock (gate)
        {
            isFirst = !isStopping;
            isStopping = true;
        }

        if (isFirst)
            stop.Cancel();
        wake.Release();
        return new ValueTask(stopped.Task);
    }

    private bool TryPost(ConcurrentQueue<Action> queue, Action action)
    {
        lock (gate)
        {
            if (isStopping)
                return false;
            queue.Enqueue(action);
        }

        wake.Release();
        return true;
    }

    private void Run()
    {
        try
        {
            while (!isStopping)
            {
                while (inbox.TryDequeue(out Action? message))
                    message();
                if (jobs.TryDequeue(out Action? job))
                    job();
                if (scheduler.HasWork)
                    Iterate();
                else if (inbox.IsEmpty && jobs.IsEmpty)
                    wake.Wait();
            }
        }
        finally
        {
            isStopping = true;
            // What was posted until now has clients that wait.
            while (inbox.TryDequeue(out Action? message))
                message();
            while (jobs.TryDequeue(out Action? job))
                job();
            scheduler.Dispose();
            stopped.SetResult();
        }
    }

    // What no request answers for must not end the process, and leaves no request waiting.
    private void Iterate()
    {
        try
        {
            scheduler.Iterate();
        }
        catch (Exception failure)
        {
            scheduler.EndAll(failure);
        }
    }
}
