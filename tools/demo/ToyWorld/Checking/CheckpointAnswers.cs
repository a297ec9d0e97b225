using System.Collections.Concurrent;
using XComposer2.Demo.Conversations;
using XComposer2.Native;
using XComposer2.Native.Devices;
using XComposer2.Native.Generation;
using XComposer2.Native.Model;

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

/// <summary>An answer whose every token, and whose end, leads the next likely one.</summary>
/// <param name="Result">The answer.</param>
/// <param name="SmallestLead">Logits between a chosen token and the next, over the answer without its end.</param>
public sealed record CertainAnswer(GenerationResult Result, double SmallestLead);

/// <summary>Asks a checkpoint, several questions at once; the most likely tokens, no penalties. Owns the engine.</summary>
public sealed class CheckpointAnswers : IAsyncDisposable
{
    private const int Together = 16, LongestAnswer = 160;
    private const string EndPiece = "[UNUSED_TOKEN_145]";

    private static readonly GenerationOptions greedy = new() { Greedy = true, RepetitionPenalty = 1, MaxTokens = LongestAnswer };

    private readonly XComposerEngine engine;
    private readonly int[] ends;

    private CheckpointAnswers(XComposerEngine engine, string directory)
    {
        this.engine = engine;
        TextTokenizer tokenizer = TextTokenizer.Load(directory);
        ends = tokenizer.TryFindPiece(EndPiece, out int end) ? [end, tokenizer.EosId] : [tokenizer.EosId];
    }

    /// <summary>Loads a checkpoint on the processor.</summary>
    /// <param name="directory">Its folder.</param>
    /// <param name="threads">Of the processor; null for all.</param>
    /// <param name="cancellation">Stops loading.</param>
    public static async Task<CheckpointAnswers> LoadAsync(string directory, int? threads, CancellationToken cancellation)
    {
        DeviceOptions device = new() { Kind = DeviceKind.Cpu };
        EngineOptions options = new() { ModelPath = directory, Device = threads is { } count ? device with { Threads = count } : device, Limits = new EngineLimits { Sequences = Together } };
        return new CheckpointAnswers(await XComposerEngine.LoadAsync(options, cancellation).ConfigureAwait(false), directory);
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

    /// <summary>Asks a question without a system turn.</summary>
    /// <param name="question">With <see cref="ToySample.Image"/> where a picture stands.</param>
    /// <param name="pictures">In the order of their places.</param>
    /// <param name="leastLead">Logits by which every token, and the end, must lead the next.</param>
    /// <param name="cancellation">Stops the answer.</param>
    /// <returns>Null where a token leads by less, or the answer is cut off.</returns>
    public async Task<CertainAnswer?> AskCertainlyAsync(string question, IReadOnlyList<ImageInput> pictures, double leastLead, CancellationToken cancellation)
    {
        UserMessage message = new(question, pictures);
        GenerationResult result = await AskAsync(message, "train", "", greedy with { LogProbs = true, TopLogProbs = 2 }, cancellation).ConfigureAwait(false);
        double lead = result.LogProbs.Count == 0 ? 0 : result.LogProbs.Min(token => (double)token.LogProb - token.Top.Where(other => other.Id != token.Id).Max(other => other.LogProb));
        if (result.TokenIds.Count == 0 || lead < leastLead || result.FinishReason != FinishReason.Stop)
            return null;

        // The end has no probability of its own: with less of it, the answer must not go on.
        GenerationOptions later = greedy with { LogitBias = ends.ToDictionary(id => id, _ => (float)-leastLead) };
        GenerationResult again = await AskAsync(message, "train", "", later, cancellation).ConfigureAwait(false);
        return again.Text == result.Text ? new CertainAnswer(result, lead) : null;
    }

    public ValueTask DisposeAsync() => engine.DisposeAsync();

    private async Task<GenerationResult> AskAsync(ToySample sample, GenerationOptions options, CancellationToken cancellation)
    {
        ToyTurn turn = sample.Turns[0];
        int places = sample.ArePicturesFirst ? sample.Pictures.Length : turn.Question.Split(ToySample.Image).Length - 1;
        ImageInput[] pictures = [.. sample.Pictures.Take(places).Select((picture, i) => ImageInput.FromBytes(picture.ToPng(), $"{sample.Kind}, picture {i + 1}"))];
        UserMessage message = new(turn.Question, pictures) { AnswerPrefix = turn.AnswerPrefix };
        return await AskAsync(message, sample.ArePicturesFirst ? "eval" : "train", sample.System, options, cancellation).ConfigureAwait(false);
    }

    private async Task<GenerationResult> AskAsync(UserMessage message, string style, string system, GenerationOptions options, CancellationToken cancellation)
    {
        await using ChatSession session = engine.CreateSession(new SessionOptions { PromptStyle = style, System = system });
        await foreach (GenerationEvent next in session.SendAsync(message, options, cancellation).ConfigureAwait(false))
            if (next is GenerationCompleted completed)
                return completed.Result;
        throw new EngineException($"the answer to '{message.Text}' did not end");
    }
}
