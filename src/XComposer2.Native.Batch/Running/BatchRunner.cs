using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace XComposer2.Native.Batch;

/// <summary>How much a run holds at once.</summary>
/// <param name="InFlight">Samples that are opened, decoded or answered: the engine's sequences, and some whose pictures are prepared meanwhile.</param>
/// <param name="HeldBytes">Bytes of samples in flight that lie in memory before they are decoded; one sample is always let in.</param>
/// <param name="HeldResults">Results that wait for an earlier one.</param>
internal readonly record struct BatchLimits(int InFlight, long HeldBytes = 256L << 20, int HeldResults = 1024)
{
    // Enough to keep every processor busy with pictures while all sequences decode.
    private const int Ahead = 4;

    /// <summary>For an engine that answers so many at once.</summary>
    public static BatchLimits For(int sequences) => new(sequences + Ahead);
}

/// <summary>Receives the results of a run, in the order of the samples.</summary>
internal interface IBatchSink<TSource>
{
    /// <summary>Takes one result; it may be kept in memory until <see cref="Commit"/>.</summary>
    void Write(BatchResult<TSource> result);

    /// <summary>Makes all results so far durable. Called whenever the next one is not ready yet.</summary>
    void Commit();
}

/// <summary>Sends samples to an engine, several at once, and hands their results to a sink in the order of the samples. A failure of one sample is its result.</summary>
/// <param name="answers">What answers.</param>
/// <param name="limits">Of memory.</param>
internal sealed class BatchRunner(IAnswerSource answers, BatchLimits limits)
{
    // Results that are ready together are made durable together, up to this number.
    public const int MaximumGroup = 64;

    /// <param name="samples">Read as answers are finished, so that an input of any length needs the same memory.</param>
    /// <param name="sink">Called by one thread at a time.</param>
    /// <param name="progress">Told after each commit; null for nobody.</param>
    /// <param name="cancellation">Ends the run; what is complete and in order by then is written.</param>
    /// <exception cref="BatchException">The input cannot be read further, or the output cannot be written.</exception>
    /// <exception cref="EngineException">The GPU failed.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public async Task RunAsync<TSource>(IAsyncEnumerable<BatchSample<TSource>> samples, IBatchSink<TSource> sink, BatchMeter? progress, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var ordered = Channel.CreateBounded<Task<BatchResult<TSource>>>(new BoundedChannelOptions(limits.HeldResults) { SingleReader = true, SingleWriter = true });
        using var room = new Room(limits);
        Task reading = Task.Run(() => ReadAsync(samples, ordered.Writer, room, stop.Token), CancellationToken.None);
        try
        {
            await WriteAsync(ordered.Reader, sink, progress).ConfigureAwait(false);
        }
        finally
        {
            // Nothing runs on behind the caller's back, and no failure is left unobserved.
            await stop.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (ordered.Reader.TryRead(out Task<BatchResult<TSource>>? left))
                await ((Task)left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync<TSource>(
        IAsyncEnumerable<BatchSample<TSource>> samples, ChannelWriter<Task<BatchResult<TSource>>> ordered, Room room, CancellationToken cancellation)
    {
        try
        {
            await foreach (BatchSample<TSource> sample in samples.WithCancellation(cancellation).ConfigureAwait(false))
            {
                await room.TakeAsync(sample.HeldBytes, cancellation).ConfigureAwait(false);
                Task<BatchResult<TSource>> result = Task.Run(() => AnswerAsync(sample, room, cancellation), CancellationToken.None);
                try
                {
                    await ordered.WriteAsync(result, cancellation).ConfigureAwait(false);
                }
                catch
                {
                    await ((Task)result).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    throw;
                }
            }

            ordered.Complete();
        }
        catch (Exception error)
        {
            // The samples before it are finished and written first.
            ordered.Complete(error);
        }
    }

    private async Task<BatchResult<TSource>> AnswerAsync<TSource>(BatchSample<TSource> sample, Room room, CancellationToken cancellation)
    {
        var result = new BatchResult<TSource>(sample.Number, sample.Id, sample.Source, sample.Options);
        try
        {
            cancellation.ThrowIfCancellationRequested();
            if (sample.Failure is { } known)
                return result with { Failure = known };
            BatchPrompt prompt = OpenPrompt(sample, cancellation);
            if (prompt.Filtered is { } why)
                return result with { Filtered = why };
            GenerationResult answer = await answers.AnswerAsync(prompt, sample.StopIds, sample.Options, cancellation).ConfigureAwait(false);
            return result with { Answer = answer, Pictures = prompt.Pictures.Count };
        }
        catch (Exception error) when (SampleFailure.Of(error) is { } failure)
        {
            return result with { Failure = failure };
        }
        finally
        {
            room.Give(sample.HeldBytes);
        }
    }

    private static BatchPrompt OpenPrompt<TSource>(BatchSample<TSource> sample, CancellationToken cancellation)
    {
        try
        {
            return sample.Open(cancellation);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BatchException($"{sample.Id}: cannot be read: {error.Message}", error);
        }
    }

    private static async Task WriteAsync<TSource>(ChannelReader<Task<BatchResult<TSource>>> ordered, IBatchSink<TSource> sink, BatchMeter? progress)
    {
        int uncommitted = 0;
        try
        {
            await foreach (Task<BatchResult<TSource>> next in ordered.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                if (uncommitted > 0 && (!next.IsCompleted || uncommitted == MaximumGroup))
                    Commit();
                BatchResult<TSource> result = await next.ConfigureAwait(false);
                sink.Write(result);
                progress?.Count(result.Pictures, result.Failure is not null);
                uncommitted++;
                if (ordered.Count == 0)
                    Commit();
            }
        }
        catch when (uncommitted > 0)
        {
            // Work that is done is kept, whatever ended the run.
            Commit();
            throw;
        }

        if (uncommitted > 0)
            Commit();

        void Commit()
        {
            uncommitted = 0;
            sink.Commit();
            progress?.Report();
        }
    }

    /// <summary>What samples in flight may take together. One reader takes, any thread gives.</summary>
    private sealed class Room(BatchLimits limits) : IDisposable
    {
        private readonly SemaphoreSlim places = new(limits.InFlight);
        private readonly SemaphoreSlim given = new(0);
        private readonly Lock gate = new();
        private long heldBytes;

        public async ValueTask TakeAsync(long bytes, CancellationToken cancellation)
        {
            await places.WaitAsync(cancellation).ConfigureAwait(false);
            while (!TryHold(bytes))
                await given.WaitAsync(cancellation).ConfigureAwait(false);
        }

        public void Give(long bytes)
        {
            places.Release();
            if (bytes == 0)
                return;
            lock (gate)
                heldBytes -= bytes;
            given.Release();
        }

        public void Dispose()
        {
            places.Dispose();
            given.Dispose();
        }

        private bool TryHold(long bytes)
        {
            lock (gate)
            {
                if (bytes > 0 && heldBytes > 0 && heldBytes + bytes > limits.HeldBytes)
                    return false;
                heldBytes += bytes;
                return true;
            }
        }
    }
}

/// <summary>Samples of a list, for runs whose input fits into memory.</summary>
internal static class SampleList
{
    public static async IAsyncEnumerable<T> ToAsync<T>(IEnumerable<T> samples, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (T sample in samples)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return sample;
        }

        await Task.CompletedTask.ConfigureAwait(false);
    }
}
