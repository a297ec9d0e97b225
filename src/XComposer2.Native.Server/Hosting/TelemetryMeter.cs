using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace XComposer2.Native.Server;

/// <summary>Figures of finished answers for OpenTelemetry, with its names for generative AI: a program that hosts a server collects the meter <see cref="Name"/>.
/// They cost nothing where nobody does. Safe to use from several threads.</summary>
internal sealed class TelemetryMeter : IDisposable
{
    public const string Name = "XComposer2.Native.Server";

    private readonly Meter meter = new(Name);
    private readonly Histogram<double> duration, firstToken, perToken;
    private readonly Histogram<long> tokens;

    public TelemetryMeter()
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
        TagList tags = new() { { "gen_ai.operation.name", operation }, { "gen_ai.provider.name", "xcomposer2.native" }, { "gen_ai.request.model", model }, { "gen_ai.response.model", model } };
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

    public void Dispose() => meter.Dispose();
}
