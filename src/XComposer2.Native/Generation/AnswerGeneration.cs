using System.Diagnostics;
using System.Text;
using System.Threading.Channels;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>Generates one answer: prompt to logits, then token by token until an end mark, a stop text or a limit.</summary>
internal sealed class AnswerGeneration(
    XComposerEngine engine, ChatSession session, CachedSequence cache, IReadOnlyList<int> stopIds, GenerationOptions options)
{
    private readonly StreamingDecoder decoder = new(engine.Tokenizer);
    private readonly StopTextFilter filter = new(options.Stop);
    private readonly StringBuilder text = new();
    private readonly List<int> ids = [];

    /// <summary>A stop text was reached, so that <see cref="GenerationResult.TokenIds"/> say more than the text.</summary>
    public bool EndedByText => filter.Stopped;

    /// <param name="prompt">All positions before the answer.</param>
    /// <param name="imageDecode">For the result.</param>
    /// <param name="vision">For the result.</param>
    /// <param name="events">Told the text as it becomes certain.</param>
    /// <param name="cancellation">Looked at between operations.</param>
    /// <exception cref="EngineException">The prompt is longer than the context, or the model's arithmetic fails.</exception>
    public GenerationResult Run(
        List<PromptPosition> prompt, TimeSpan imageDecode, TimeSpan vision, ChannelWriter<GenerationEvent> events, CancellationToken cancellation)
    {
        int context = engine.Info.ContextLength;
        if (prompt.Count >= context)
            throw new EngineException($"the prompt has {prompt.Count} tokens, the context is {context} tokens and must hold at least one of the answer");
        ulong seed = options.Seed ?? (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue);
        using ITokenSampler sampler = engine.Runner.CreateSampler(
            new SamplingParameters(options.Greedy, options.Temperature, options.TopK, options.TopP, options.RepetitionPenalty), seed);

        long start = Stopwatch.GetTimestamp();
        cache.Extend(prompt, FreePages, out int reused, cancellation);
        FinishReason? finish;
        TimeSpan? prefill = null;
        int limit = Math.Min(options.MaxTokens, context - prompt.Count), steps = 0;
        Choose(sampler);
        while (true)
        {
            // Where a run returns before its results are there, the step of a token is under way before the host has read the token, and is not
            // kept where that turns out to be the last one. The token at the limit has no step.
            bool isAhead = engine.Runner.RunsAhead && ids.Count + 1 < limit;
            if (isAhead)
                Step(sampler, cancellation);
            int id = Choice(sampler);
            if (prefill is null)
            {
                prefill = Stopwatch.GetElapsedTime(start);
                start = Stopwatch.GetTimestamp();
            }

            finish = Take(id, limit, events);
            if (finish is not null)
                break;
            if (!isAhead)
                Step(sampler, cancellation);
            cache.Keep(id);
            steps++;
        }

        Emit(filter.Add(decoder.Epilogue()), events);
        Emit(filter.Epilogue(), events);
        return new GenerationResult(
            text.ToString(),
            filter.Stopped ? FinishReason.Stop : finish.Value,
            ids,
            seed,
            new TokenUsage(prompt.Count, prompt.Count(static position => position.Image is not null), reused, ids.Count),
            new GenerationTimings
            {
                ImageDecode = imageDecode,
                Vision = vision,
                Prefill = prefill.Value,
                Decode = Stopwatch.GetElapsedTime(start),
                DecodeSteps = steps,
            });
    }

    private bool FreePages() => engine.FreePagesOfAnother(session);

    private void Step(ITokenSampler sampler, CancellationToken cancellation)
    {
        cache.Step(sampler, FreePages, cancellation);
        Choose(sampler);
    }

    private void Choose(ITokenSampler sampler)
    {
        try
        {
            engine.Runner.Choose(sampler);
        }
        catch (InvalidOperationException error)
        {
            throw Unusable(error);
        }
    }

    private int Choice(ITokenSampler sampler)
    {
        try
        {
            return sampler.Take();
        }
        catch (InvalidOperationException error)
        {
            throw Unusable(error);
        }
    }

    private EngineException Unusable(InvalidOperationException error) =>
        new($"the model gave no usable logits after {ids.Count} tokens of the answer ({error.Message}): a weight may not be finite; xc2 inspect --check finds it", error);

    /// <summary>Takes a sampled token; null where the answer goes on.</summary>
    private FinishReason? Take(int id, int limit, ChannelWriter<GenerationEvent> events)
    {
        if (stopIds.Contains(id))
            return FinishReason.Stop;
        ids.Add(id);
        Emit(filter.Add(decoder.Add(id)), events);
        if (filter.Stopped)
            return FinishReason.Stop;
        return ids.Count >= limit ? FinishReason.Length : null;
    }

    private void Emit(string certain, ChannelWriter<GenerationEvent> events)
    {
        if (certain.Length == 0)
            return;
        text.Append(certain);
        events.TryWrite(new TextDelta(certain));
    }
}
