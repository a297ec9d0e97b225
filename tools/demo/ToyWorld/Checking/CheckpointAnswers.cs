using System.Collections.Concurrent;
using XComposer2.Demo.Conversations;
using XComposer2.Native;
using XComposer2.Native.Devices;
using XComposer2.Native.Generation;

namespace XComposer2.Demo.Checking;

/// <summary>An answer of a checkpoint to the first question of a sample.</summary>
/// <param name="Sample">What was asked.</param>
/// <param name="Result">What was answered, behind the given beginning.</param>
public sealed record CheckpointAnswer(ToySample Sample, GenerationResult Result)
{
    /// <summary>The right answer, behind the given beginning.</summary>
    public string Expected => Sample.Turns[0].Answer[Sample.Turns[0].AnswerPrefix.Length..];

    /// <summary>Whether it is the right one, to the letter.</summary>
    public bool IsExact => Result.Text == Expected;
}

/// <summary>Asks a checkpoint, several questions at once; the most likely tokens, no penalties. Owns the engine.</summary>
public sealed class CheckpointAnswers : IAsyncDisposable
{
    private const int Together = 16, LongestAnswer = 160;

    private static readonly GenerationOptions greedy = new() { Greedy = true, RepetitionPenalty = 1, MaxTokens = LongestAnswer };

    private readonly XComposerEngine engine;

    private CheckpointAnswers(XComposerEngine engine) => this.engine = engine;

    /// <summary>Loads a checkpoint on the processor.</summary>
    /// <param name="directory">Its folder.</param>
    /// <param name="threads">Of the processor; null for all.</param>
    /// <param name="cancellation">Stops loading.</param>
    public static async Task<CheckpointAnswers> LoadAsync(string directory, int? threads, CancellationToken cancellation)
    {
        DeviceOptions device = new() { Kind = DeviceKind.Cpu };
        EngineOptions options = new() { ModelPath = directory, Device = threads is { } count ? device with { Threads = count } : device, Limits = new EngineLimits { Sequences = Together } };
        return new CheckpointAnswers(await XComposerEngine.LoadAsync(options, cancellation).ConfigureAwait(false));
    }

    /// <summary>Asks the first question of each sample.</summary>
    /// <returns>In the order of the samples.</returns>
    public async Task<IReadOnlyList<CheckpointAnswer>> AskAsync(IReadOnlyList<ToySample> samples, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ConcurrentDictionary<int, CheckpointAnswer> answers = [];
        ParallelOptions parallel = new() { MaxDegreeOfParallelism = Together, CancellationToken = cancellation };
        await Parallel.ForEachAsync(Enumerable.Range(0, samples.Count), parallel, async (number, stop) =>
            answers[number] = new CheckpointAnswer(samples[number], await AskAsync(samples[number], greedy, stop).ConfigureAwait(false))).ConfigureAwait(false);
        return [.. Enumerable.Range(0, samples.Count).Select(number => answers[number])];
    }

    /// <summary>Asks the first question of a sample.</summary>
    public async Task<GenerationResult> AskAsync(ToySample sample, bool withLogProbs, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(sample);
        return await AskAsync(sample, withLogProbs ? greedy with { LogProbs = true, TopLogProbs = 2 } : greedy, cancellation).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => engine.DisposeAsync();

    private async Task<GenerationResult> AskAsync(ToySample sample, GenerationOptions options, CancellationToken cancellation)
    {
        ToyTurn turn = sample.Turns[0];
        int places = sample.ArePicturesFirst ? sample.Pictures.Length : turn.Question.Split(ToySample.Image).Length - 1;
        ImageInput[] pictures = [.. sample.Pictures.Take(places).Select((picture, i) => ImageInput.FromBytes(picture.ToPng(), $"{sample.Kind}, picture {i + 1}"))];
        await using ChatSession session = engine.CreateSession(new SessionOptions { PromptStyle = sample.ArePicturesFirst ? "eval" : "train", System = sample.System });
        UserMessage message = new(turn.Question, pictures) { AnswerPrefix = turn.AnswerPrefix };
        await foreach (GenerationEvent next in session.SendAsync(message, options, cancellation).ConfigureAwait(false))
            if (next is GenerationCompleted completed)
                return completed.Result;
        throw new EngineException($"{sample.Kind}: the answer did not end");
    }
}
