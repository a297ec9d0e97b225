using System.Threading.Channels;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>From prompts with pictures to requests of the engine thread, and from their outcomes to results. Safe to use from several threads.</summary>
internal sealed class AnswerService(TextTokenizer tokenizer, PicturePreparer preparer, EngineThread engine, EngineSizes sizes, ModelConfig config)
{
    private readonly Lazy<TokenBytes> tokenBytes = new(() => new TokenBytes(tokenizer));

    public TextTokenizer Tokenizer => tokenizer;

    /// <summary>Positions of a prompt.</summary>
    public int Count(IReadOnlyList<PromptPiece> pieces) => pieces.Sum(piece => piece.Ids.Length + (piece.IsImage ? config.TokensPerImage : 0));

    /// <exception cref="EngineException">An option is out of range.</exception>
    public void Require(GenerationOptions options)
    {
        GenerationChecks.Require(options, config.Decoder.VocabularySize);
        EngineException.ThrowUnless(options.Beams <= sizes.Sequences, "beams", $"at most {sizes.Sequences}, the answers that the engine generates together (EngineLimits.Sequences)", options.Beams);
    }

    /// <summary>Counts the prompt, prepares its new pictures, and submits the request.</summary>
    /// <param name="asked">The prompt; told its new pictures.</param>
    /// <param name="stopIds">End marks.</param>
    /// <param name="options">Checked.</param>
    /// <param name="events">Told the text as it becomes certain; completed when the answer has ended.</param>
    /// <param name="cancellation">Ends the answer.</param>
    /// <exception cref="EngineException">An option is out of range, or the prompt is longer than the context.</exception>
    /// <exception cref="ImageException">A picture is damaged, too large, or no picture.</exception>
    public async Task<PendingAnswer> SubmitAsync(
        Conversation asked, IReadOnlyList<int> stopIds, GenerationOptions options, ChannelWriter<GenerationEvent> events, CancellationToken cancellation)
    {
        Require(options);
        int count = Count(asked.Pieces);
        if (count > (asked.MayBeLong ? sizes.ContextLength - 1 : sizes.PromptLength))
            throw sizes.PromptTooLong(count);
        TimeSpan decodeTime = TimeSpan.Zero;
        TimedPicture[] prepared = await PrepareAsync(asked.Inputs, cancellation).ConfigureAwait(false);
        foreach (TimedPicture timed in prepared)
        {
            asked.NewPictures.Add(timed.Picture);
            decodeTime += timed.Time;
        }

        // Readers of JSON in other languages hold numbers as doubles, which are exact below 2^53.
        ulong seed = options.Seed ?? (ulong)Random.Shared.NextInt64(GenerationOptions.MaximumDrawnSeed);
        var text = new AnswerText(tokenizer, stopIds, options.Stop, options.WantsLogProbs, events);
        List<PromptPosition> positions = asked.Positions();
        var request = new AnswerRequest(positions, options.Sampling(seed, positions, options.Format?.Constrain(tokenBytes.Value, stopIds, config.Decoder.VocabularySize)), options.MaxTokens, text, options.Timeout, cancellation)
        {
            Beams = options.Search(positions, tokenizer.BosId, stopIds),
        };
        engine.Submit(request);
        int visual = positions.Count(static position => position.Picture is not null);
        return new PendingAnswer(request, text, ResultAsync());

        async Task<GenerationResult> ResultAsync()
        {
            try
            {
                AnswerOutcome outcome = await request.Outcome.ConfigureAwait(false);
                string whole = text.Finish();
                return new GenerationResult(
                    whole,
                    text.EndedByText ? FinishReason.Stop : outcome.Finish,
                    text.TokenIds,
                    seed,
                    new TokenUsage(positions.Count, visual, outcome.CachedTokens, text.TokenIds.Count),
                    Timings(decodeTime, outcome.Times))
                {
                    LogProbs = text.Scores,
                    StopText = text.StopText,
                    Score = request.Search is { } search ? (float)search.Search.Best.Score : null,
                };
            }
            catch (Exception failure) when (DeviceFailure.Describe(failure) is { } why)
            {
                throw new EngineException($"the GPU failed: {why}", failure);
            }
            finally
            {
                events.Complete();
            }
        }
    }

    /// <summary>Decodes and resizes pictures; begun together, so that a machine with room for several prepares several.</summary>
    /// <exception cref="ImageException">A picture is damaged, too large, or no picture.</exception>
    public Task<TimedPicture[]> PrepareAsync(IEnumerable<ImageInput> inputs, CancellationToken cancellation) =>
        Task.WhenAll(inputs.Select(input => preparer.PrepareAsync(input, cancellation)));

    private static GenerationTimings Timings(TimeSpan decodeTime, AnswerTimes times) => new()
    {
        Waiting = times.Waiting,
        ImageDecode = decodeTime,
        Vision = times.Vision,
        Prefill = times.Prefill,
        Decode = times.Decode,
        DecodeSteps = times.DecodeSteps,
    };
}

/// <summary>A prompt, and the pictures that it shows.</summary>
/// <param name="Pieces">Ids, and places of pictures.</param>
/// <param name="Pictures">Prepared before.</param>
/// <param name="Inputs">To be prepared; they follow the others.</param>
internal sealed record Conversation(IReadOnlyList<PromptPiece> Pieces, IReadOnlyList<PreparedPicture> Pictures, IReadOnlyList<ImageInput> Inputs)
{
    /// <summary>The prompt may fill the context, beyond the checkpoint's limit for prompts.</summary>
    public bool MayBeLong { get; init; }

    /// <summary>What became of <see cref="Inputs"/>.</summary>
    public List<PreparedPicture> NewPictures { get; } = [];

    /// <summary>All positions, once all pictures are prepared.</summary>
    public List<PromptPosition> Positions()
    {
        List<PreparedPicture> all = [.. Pictures, .. NewPictures];
        var positions = new List<PromptPosition>();
        foreach (PromptPiece piece in Pieces)
        {
            foreach (int id in piece.Ids)
                positions.Add(PromptPosition.Text(id));
            if (!piece.IsImage)
                continue;
            PreparedPicture picture = all[piece.Image];
            for (int row = 0; row < picture.TokenCount; row++)
                positions.Add(PromptPosition.Visual(picture, row));
        }

        return positions;
    }
}

/// <summary>An answer under way.</summary>
/// <param name="Request">Below the text.</param>
/// <param name="Text">What was said so far.</param>
/// <param name="Result">All of it, or why there is none.</param>
internal sealed record PendingAnswer(AnswerRequest Request, AnswerText Text, Task<GenerationResult> Result);
