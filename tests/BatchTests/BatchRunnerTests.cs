using XComposer2.Native.Batch;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.BatchTests;

/// <summary>The runner: order, bounds, failures and cancellation.</summary>
public sealed class BatchRunnerTests
{
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Results_have_the_order_of_the_samples()
    {
        var random = new Random(1);
        int[] delays = [.. Enumerable.Range(0, 200).Select(_ => random.Next(4))];
        var answers = new FakeAnswers((id, cancellation) => Task.Delay(delays[id], cancellation));
        ListSink sink = new();
        await new BatchRunner(answers, new BatchLimits(8)).RunAsync(Samples(200), sink, null, TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, 200).Select(number => $"answer {number}"), sink.Results.Select(result => result.Answer!.Text));
        Assert.Equal(200, sink.Committed);
        Assert.InRange(answers.MostAtOnce, 2, 8);
    }

    [Fact]
    public async Task Input_is_read_no_further_than_the_limits_allow()
    {
        int read = 0;
        TaskCompletionSource first = new();
        var answers = new FakeAnswers((id, cancellation) => id == 0 ? first.Task.WaitAsync(cancellation) : Task.CompletedTask);
        ListSink sink = new();
        Task run = new BatchRunner(answers, new BatchLimits(3, HeldResults: 10)).RunAsync(Counted(1000, () => read++), sink, null, TestContext.Current.CancellationToken);
        await UntilSteadyAsync(() => Volatile.Read(ref read));
        // The one that is waited for, ten behind it, one that waits for its place, and those read while it waits.
        Assert.InRange(read, 10, 14);
        Assert.Empty(sink.Results);
        first.SetResult();
        await run.WaitAsync(patience, TestContext.Current.CancellationToken);
        Assert.Equal(1000, sink.Committed);
    }

    [Fact]
    public async Task Bytes_in_memory_are_bounded_and_a_large_sample_goes_alone()
    {
        long held = 0, most = 0;
        int together = 0;
        long[] bytes = [10, 40, 50, 30, 500, 10, 90, 20];
        var answers = new FakeAnswers(async (id, cancellation) =>
        {
            long now = Interlocked.Add(ref held, bytes[id]);
            if (id == 4)
                Assert.Equal(500, now);
            else
                most = Math.Max(most, now);
            together = Math.Max(together, now > bytes[id] ? 2 : 1);
            await Task.Delay(5, cancellation);
            Interlocked.Add(ref held, -bytes[id]);
        });
        ListSink sink = new();
        await new BatchRunner(answers, new BatchLimits(4, HeldBytes: 100)).RunAsync(Samples(8, id => bytes[id]), sink, null, TestContext.Current.CancellationToken);
        Assert.All(sink.Results, result => Assert.Null(result.Failure));
        Assert.InRange(most, 50, 100);
        Assert.Equal(2, together);
    }

    public static TheoryData<Exception, string> Failures => new()
    {
        { new ImageException("a.png: no such file"), "invalid_image" },
        { new PromptException("the question is empty"), "invalid_prompt" },
        { new BatchException("row 3: broken"), "invalid_input" },
        { new TimeoutException("too slow"), "timeout" },
        { new FileNotFoundException("b.png"), "invalid_input" },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Failure_of_a_sample_is_its_result(Exception error, string code)
    {
        ListSink sink = new();
        IAsyncEnumerable<BatchSample<int>> samples = AsyncSamples(Enumerable.Range(0, 5).Select(number => number == 2 ? Sample(number) with { Open = _ => throw error } : Sample(number)));
        BatchMeter meter = new(10, 15, null, TimeProvider.System);
        await new BatchRunner(new FakeAnswers(), new BatchLimits(2)).RunAsync(samples, sink, meter, TestContext.Current.CancellationToken);
        Assert.Equal(code, sink.Results[2].Failure!.Code);
        Assert.Contains(error.Message, sink.Results[2].Failure!.Message, StringComparison.Ordinal);
        Assert.Equal([0, 1, 3, 4], sink.Results.Where(result => result.Answer is not null).Select(result => result.Source));
        Assert.Equal((15, 1), (meter.Now().Done, meter.Now().Failed));
    }

    [Fact]
    public async Task Sample_with_a_failure_is_not_opened_and_a_filtered_one_is_not_asked()
    {
        ListSink sink = new();
        BatchSample<int>[] samples =
        [
            Sample(0) with { Failure = new SampleFailure(FailureKind.Input, "row 1: no picture"), Open = _ => throw new InvalidOperationException("opened") },
            Sample(1) with { Open = _ => BatchPrompt.LeftOut("smaller than 64 pixels") },
        ];
        await new BatchRunner(new FakeAnswers((_, _) => throw new InvalidOperationException("asked")), new BatchLimits(2)).RunAsync(AsyncSamples(samples), sink, null, TestContext.Current.CancellationToken);
        Assert.Equal("row 1: no picture", sink.Results[0].Failure!.Message);
        Assert.Equal("smaller than 64 pixels", sink.Results[1].Filtered);
        Assert.Null(sink.Results[1].Failure);
    }

    [Fact]
    public async Task Failure_of_the_device_ends_the_run_and_keeps_what_was_done()
    {
        ListSink sink = new();
        var answers = new FakeAnswers((id, _) => id == 7 ? throw new EngineException("the GPU failed: lost", new InvalidOperationException("lost")) : Task.CompletedTask);
        await Assert.ThrowsAsync<EngineException>(() => new BatchRunner(answers, new BatchLimits(3)).RunAsync(Samples(100), sink, null, TestContext.Current.CancellationToken));
        Assert.Equal(7, sink.Committed);
    }

    [Fact]
    public async Task Cancellation_commits_what_is_complete_and_in_order()
    {
        using CancellationTokenSource stop = new();
        var answers = new FakeAnswers((id, cancellation) => id < 5 ? Task.CompletedTask : Task.Delay(Timeout.Infinite, cancellation));
        ListSink sink = new(result =>
        {
            if (result.Source == 4)
                stop.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new BatchRunner(answers, new BatchLimits(3)).RunAsync(Samples(100), sink, null, stop.Token).WaitAsync(patience, TestContext.Current.CancellationToken));
        Assert.Equal(5, sink.Committed);
    }

    [Fact]
    public async Task Failing_sink_ends_the_run()
    {
        int read = 0;
        ListSink sink = new(result => _ = result.Source == 3 ? throw new BatchException("out.jsonl: no space left") : 0);
        await Assert.ThrowsAsync<BatchException>(() => new BatchRunner(new FakeAnswers(), new BatchLimits(2, HeldResults: 4)).RunAsync(Counted(1000, () => read++), sink, null, TestContext.Current.CancellationToken).WaitAsync(patience, TestContext.Current.CancellationToken));
        Assert.Equal(3, sink.Committed);
        Assert.InRange(read, 4, 20);
    }

    [Fact]
    public async Task Failing_input_ends_the_run_after_the_samples_before_it()
    {
        ListSink sink = new();
        var answers = new FakeAnswers((_, cancellation) => Task.Delay(5, cancellation));
        BatchException error = await Assert.ThrowsAsync<BatchException>(() => new BatchRunner(answers, new BatchLimits(4)).RunAsync(
            AsyncSamples(Enumerable.Range(0, 10).Select(number => number < 6 ? Sample(number) : throw new BatchException("shard.tar: cut off"))), sink, null, TestContext.Current.CancellationToken));
        Assert.Equal("shard.tar: cut off", error.Message);
        Assert.Equal(6, sink.Committed);
    }

    [Fact]
    public void Meter_tells_speed_and_time_left()
    {
        ManualTime time = new();
        BatchMeter meter = new(100, 200, null, time);
        Assert.Null(meter.Now().Left);
        time.Seconds = 10;
        for (int i = 0; i < 20; i++)
            meter.Count(2, i == 0);
        Assert.Equal(new BatchProgress(120, 200, 1, 2, 4, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(40)), meter.Now());
        meter.Total = null;
        Assert.Null(meter.Now().Left);
    }

    private static IAsyncEnumerable<BatchSample<int>> Samples(int count, Func<int, long>? heldBytes = null) =>
        AsyncSamples(Enumerable.Range(0, count).Select(number => Sample(number) with { HeldBytes = heldBytes?.Invoke(number) ?? 0 }));

    private static IAsyncEnumerable<BatchSample<int>> Counted(int count, Action onRead) => AsyncSamples(Enumerable.Range(0, count).Select(number =>
    {
        onRead();
        return Sample(number);
    }));

    private static IAsyncEnumerable<BatchSample<int>> AsyncSamples(IEnumerable<BatchSample<int>> samples) => SampleList.ToAsync(samples, TestContext.Current.CancellationToken);

    private static BatchSample<int> Sample(int number) => new()
    {
        Number = number,
        Id = $"sample-{number}",
        Source = number,
        Open = _ => new BatchPrompt([new PromptPiece([number], -1)], []),
    };

    private static async Task UntilSteadyAsync(Func<int> value)
    {
        int before = -1;
        for (int same = 0; same < 5; before = value())
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
            same = value() == before ? same + 1 : 0;
        }
    }

    private sealed class ManualTime : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
