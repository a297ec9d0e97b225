using System.Runtime;
using Microsoft.Extensions.Logging;

namespace XComposer2.Native.Server;

/// <summary>What is known of a model, also while it sleeps.</summary>
/// <param name="Info">Of the engine.</param>
/// <param name="Name">In responses.</param>
/// <param name="Sequences">Answers that are generated together.</param>
/// <param name="Gate">Bounds the answers.</param>
internal sealed record ModelFacts(EngineInfo Info, string Name, int Sequences, RequestGate Gate);

/// <summary>
/// The model of a server. After <see cref="ServerOptions.SleepAfter"/> without a request it sleeps: engine, weights and cache are released, and the next request loads them again.
/// It never sleeps while somebody uses it. Safe to use from several threads.
/// </summary>
internal sealed partial class ModelHolder(ServerOptions options, ILogger log) : IAsyncDisposable
{
    private const int ChecksPerSleep = 8;

    private readonly Lock state = new();
    private readonly SemaphoreSlim transition = new(1);
    private readonly CancellationTokenSource stop = new();
    private EngineOptions? engineOptions;
    private LoadedEngine? loaded;
    private Task watching = Task.CompletedTask;
    private int users;
    private long idleSince;

    /// <summary>Null while the model is loading for the first time.</summary>
    public ModelFacts? Facts { get; private set; }

    /// <summary>Null while the model is loading, or sleeps.</summary>
    public LoadedEngine? Loaded
    {
        get
        {
            lock (state)
                return loaded;
        }
    }

    /// <summary>The memory of the model is released.</summary>
    public bool IsSleeping => Facts is not null && Loaded is null;

    /// <summary>Loads the model for the first time.</summary>
    /// <exception cref="InvalidOperationException">There is one already, or the server was disposed.</exception>
    public async Task<LoadedEngine> LoadAsync(EngineOptions asked, CancellationToken cancellation)
    {
        XComposerEngine engine = await XComposerEngine.LoadAsync(asked, cancellation).ConfigureAwait(false);
        LoadedEngine? made = null;
        lock (state)
        {
            if (Facts is null && !stop.IsCancellationRequested)
            {
                int sequences = asked.Limits.Sequences;
                engineOptions = asked with { Progress = null, Notice = null };
                Facts = new ModelFacts(engine.Info, options.ModelName ?? engine.Info.Model.Split(',')[0], sequences, new RequestGate(sequences + options.QueueLength));
                loaded = made = new LoadedEngine(engine, Facts);
                idleSince = Environment.TickCount64;
                if (options.SleepAfter is { } after)
                    watching = WatchAsync(after);
            }
        }

        if (made is not null)
            return made;
        await engine.DisposeAsync().ConfigureAwait(false);
        throw new InvalidOperationException("the server has a model already, or was disposed");
    }

    /// <summary>Keeps the model awake until the result is disposed; wakes it if it sleeps.</summary>
    /// <exception cref="ApiException">It could not be loaded again.</exception>
    public async Task<IDisposable> UseAsync(CancellationToken cancellation)
    {
        var use = new Use(this, isRequest: true);
        try
        {
            if (IsSleeping)
                await WakeAsync(cancellation).ConfigureAwait(false);
            return use;
        }
        catch
        {
            use.Dispose();
            throw;
        }
    }

    /// <summary>Looks at the model if it is awake; does not count as a request.</summary>
    public IDisposable Look() => new Use(this, isRequest: false);

    public async ValueTask DisposeAsync()
    {
        LoadedEngine? last;
        await stop.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        await transition.WaitAsync().ConfigureAwait(false);
        lock (state)
            (last, loaded) = (loaded, null);
        if (last is not null)
            await last.Engine.DisposeAsync().ConfigureAwait(false);
        transition.Dispose();
        stop.Dispose();
    }

    private async Task WatchAsync(TimeSpan after)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(after / ChecksPerSleep, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stop.IsCancellationRequested)
                await SleepAsync(after).ConfigureAwait(false);
        }
    }

    private async Task SleepAsync(TimeSpan after)
    {
        if (!await ReleaseIdleAsync(after).ConfigureAwait(false))
            return;
        // What released the engine is still below on the stack, and holds it.
        await Task.Yield();
        // Pictures and strings of megabytes lie where only a compacting collection finds them.
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        LogSleep(log, after.TotalSeconds);
    }

    // Methods of their own: no local variable of the caller may keep what is collected.
    private async Task<bool> ReleaseIdleAsync(TimeSpan after)
    {
        await transition.WaitAsync().ConfigureAwait(false);
        try
        {
            if (TakeIdle(after) is not { } engine)
                return false;
            await engine.DisposeAsync().ConfigureAwait(false);
            return true;
        }
        finally
        {
            transition.Release();
        }
    }

    private XComposerEngine? TakeIdle(TimeSpan after)
    {
        lock (state)
        {
            if (loaded is null || users > 0 || Environment.TickCount64 - idleSince < after.TotalMilliseconds)
                return null;
            XComposerEngine engine = loaded.Engine;
            loaded = null;
            return engine;
        }
    }

    private async Task WakeAsync(CancellationToken cancellation)
    {
        await transition.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!IsSleeping)
                return;
            long start = Environment.TickCount64;
            // Others may wait for it too: it is loaded even if this client goes away.
            XComposerEngine engine = await XComposerEngine.LoadAsync(engineOptions!, stop.Token).ConfigureAwait(false);
            lock (state)
                loaded = new LoadedEngine(engine, Facts!);
            LogWake(log, (Environment.TickCount64 - start) / 1000.0);
        }
        catch (XComposerException failure)
        {
            LogFailure(log, failure);
            throw ApiException.NotReady("the model sleeps and cannot be loaded; the log of the server has details");
        }
        finally
        {
            transition.Release();
        }
    }

    [LoggerMessage(EventId = 7, Level = LogLevel.Information, Message = "no request for {Seconds:0.#} s: the model sleeps")]
    private static partial void LogSleep(ILogger log, double seconds);

    [LoggerMessage(EventId = 8, Level = LogLevel.Information, Message = "the model is loaded again, after {Seconds:0.0} s")]
    private static partial void LogWake(ILogger log, double seconds);

    [LoggerMessage(EventId = 9, Level = LogLevel.Error, Message = "the model cannot be loaded again")]
    private static partial void LogFailure(ILogger log, Exception failure);

    /// <summary>One who uses the model.</summary>
    private sealed class Use : IDisposable
    {
        private readonly bool isRequest;
        private ModelHolder? holder;

        public Use(ModelHolder holder, bool isRequest)
        {
            this.holder = holder;
            this.isRequest = isRequest;
            lock (holder.state)
                holder.users++;
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref holder, null) is not { } left)
                return;
            lock (left.state)
            {
                left.users--;
                if (isRequest)
                    left.idleSince = Environment.TickCount64;
            }
        }
    }
}
