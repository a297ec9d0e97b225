using XComposer2.Native.Batch;

namespace XComposer2.Native.BatchTests;

/// <summary>Answers with the ids of the prompt as text, after a delay, and counts.</summary>
internal sealed class FakeAnswers(Func<int, CancellationToken, Task>? wait = null) : IAnswerSource
{
    private int running;
    private int most;

    public int MostAtOnce => most;

    public async Task<GenerationResult> AnswerAsync(BatchPrompt prompt, IReadOnlyList<int> stopIds, GenerationOptions options, CancellationToken cancellation)
    {
        int now = Interlocked.Increment(ref running);
        int seen;
        while (now > (seen = Volatile.Read(ref most)) && Interlocked.CompareExchange(ref most, now, seen) != seen) { }
        try
        {
            int id = prompt.Pieces[0].Ids[0];
            if (wait is not null)
                await wait(id, cancellation);
            return new GenerationResult($"answer {id}", FinishReason.Stop, [id], 0, new TokenUsage(1, 0, 0, 1), new GenerationTimings());
        }
        finally
        {
            Interlocked.Decrement(ref running);
        }
    }
}

/// <summary>Keeps results and says how many of them were committed.</summary>
internal sealed class ListSink(Action<BatchResult<int>>? onWrite = null) : IBatchSink<int>
{
    public List<BatchResult<int>> Results { get; } = [];

    public int Committed { get; private set; }

    public int Commits { get; private set; }

    public void Write(BatchResult<int> result)
    {
        onWrite?.Invoke(result);
        Results.Add(result);
    }

    public void Commit()
    {
        Committed = Results.Count;
        Commits++;
    }
}

/// <summary>A folder that is removed with its test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("xc2-batch-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
