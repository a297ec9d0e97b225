using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace XComposer2.Native.Server;

/// <summary>Figures and traces of answers for OpenTelemetry, with its names for generative AI: a program that hosts a server collects the meter and the source <see cref="Name"/>.
/// They cost nothing where nobody does, and hold no prompts. Safe to use from several threads.</summary>
internal sealed class Telemetry : IDisposable
{
    public const string Name = "XComposer2.Native.Server";

    private const string Provider = "xcomposer2.native";

    private readonly ActivitySource traces = new(Name);
    private readonly Meter meter = new(Name);
    private readonly Histogram<double> duration, firstToken, perToken;
    private readonly Histogram<long> tokens;

    public Telemetry()
    {
        duration = meter.CreateHistogram<double>("gen_ai.server.request.duration", "s", "From the request to the end of the answer.");
        firstToken = meter.CreateHistogram<double>("gen_ai.server.time_to_first_token", "s", "From the request to the first token.");
        perToken = meter.CreateHistogram<double>("gen_ai.server.time_per_output_token", "s", "Mean time of a token after the first.");
        tokens = meter.CreateHistogram<long>("gen_ai.client.token.usage", "{token}", "Tokens of prompts and answers.");
    }

    /// <summary>An answer has ended.</summary>
    /// <param name="operation">"chat" or "text_completion".</param>
    /// <param name="model">Name of the model.</param>
    /// <param name="result">The answer.</param>
    /// <param name="sinceRequest">Age of the request.</param>
    public void Finish(string operation, string model, GenerationResult result, TimeSpan sinceRequest)
    {
        TagList tags = new() { { "gen_ai.operation.name", operation }, { "gen_ai.provider.name", Provider }, { "gen_ai.request.model", model }, { "gen_ai.response.model", model } };
        duration.Record(sinceRequest.TotalSeconds, tags);
        firstToken.Record((sinceRequest - result.Timings.Decode).TotalSeconds, tags);
        if (result.Timings.DecodeSteps > 0)
            perToken.Record(result.Timings.PerToken.TotalSeconds, tags);
        TagList input = tags, output = tags;
        input.Add("gen_ai.token.type", "input");
        output.Add("gen_ai.token.type", "output");
        tokens.Record(result.Usage.PromptTokens, input);
        tokens.Record(result.Usage.CompletionTokens, output);
    }

    /// <summary>The answers of one request begin.</summary>
    /// <param name="operation">"chat" or "text_completion".</param>
    /// <param name="model">Name of the model.</param>
    /// <param name="options">Of the first prompt.</param>
    /// <param name="answers">Their number.</param>
    /// <returns>Dispose it when the last answer has ended; null if nobody collects.</returns>
    public Activity? Begin(string operation, string model, GenerationOptions options, int answers)
    {
        if (traces.StartActivity($"{operation} {model}", ActivityKind.Internal) is not { } span)
            return null;
        span.SetTag("gen_ai.operation.name", operation).SetTag("gen_ai.provider.name", Provider).SetTag("gen_ai.request.model", model).SetTag("gen_ai.response.model", model);
        span.SetTag("gen_ai.request.max_tokens", options.MaxTokens).SetTag("gen_ai.request.temperature", options.Greedy ? 0d : options.Temperature);
        span.SetTag("gen_ai.request.top_p", (double)options.TopP).SetTag("gen_ai.request.top_k", (double)options.TopK);
        if (options.FrequencyPenalty != 0)
            span.SetTag("gen_ai.request.frequency_penalty", (double)options.FrequencyPenalty);
        if (options.PresencePenalty != 0)
            span.SetTag("gen_ai.request.presence_penalty", (double)options.PresencePenalty);
        if (options.Seed is { } seed)
            span.SetTag("gen_ai.request.seed", unchecked((long)seed));
        if (answers > 1)
            span.SetTag("gen_ai.request.choice.count", answers);
        return span;
    }

    /// <summary>All answers of a request have ended, or one of them failed.</summary>
    /// <param name="span">Null if nobody collects.</param>
    /// <param name="results">Finished answers.</param>
    /// <param name="failure">Null if all were finished.</param>
    public static void End(Activity? span, IReadOnlyList<GenerationResult> results, Exception? failure)
    {
        if (span is null)
            return;
        span.SetTag("gen_ai.usage.input_tokens", results.Sum(result => result.Usage.PromptTokens)).SetTag("gen_ai.usage.output_tokens", results.Sum(result => result.Usage.CompletionTokens));
        if (results.Count > 0)
            span.SetTag("gen_ai.response.finish_reasons", results.Select(result => ChatAnswer.FinishName(result.FinishReason)).ToArray());
        if (failure is not null)
            span.SetTag("error.type", failure.GetType().FullName).SetStatus(ActivityStatusCode.Error);
        span.Dispose();
    }

    public void Dispose()
    {
        traces.Dispose();
        meter.Dispose();
    }
}
