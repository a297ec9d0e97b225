using System.Globalization;
using System.Text;

namespace XComposer2.Native.Server;

/// <summary>Figures for Prometheus, with the names that similar servers use behind the prefix <c>xc2:</c>. Safe to use from several threads.</summary>
internal sealed class ServerMetrics
{
    private readonly MetricPage page = new();
    private readonly MetricPage.Value running, waiting, cacheUsage, draining, sleeping, promptTokens, generatedTokens, finished, responses, prefixQueries, prefixHits, imageQueries, imageHits;
    private readonly MetricPage.Histogram firstToken, betweenTokens, whole, queue, prefill, decode, preprocess, encode;

    public ServerMetrics()
    {
        running = page.Gauge("xc2:num_requests_running", "Answers that the engine generates.");
        waiting = page.Gauge("xc2:num_requests_waiting", "Answers that wait for the engine.");
        cacheUsage = page.Gauge("xc2:kv_cache_usage_perc", "Part of the cache's pages that running answers hold; 1 is all.");
        draining = page.Gauge("xc2:draining", "1 while the server ends its last requests.");
        sleeping = page.Gauge("xc2:sleeping", "1 while the memory of the model is released.");
        promptTokens = page.Counter("xc2:prompt_tokens_total", "Tokens of prompts, cached ones included.");
        generatedTokens = page.Counter("xc2:generation_tokens_total", "Tokens of answers.");
        finished = page.Counter("xc2:request_success_total", "Finished answers.", "finished_reason");
        responses = page.Counter("xc2:http_responses_total", "Responses by HTTP status; 499 where the client has gone.", "status");
        prefixQueries = page.Counter("xc2:prefix_cache_queries", "Tokens of prompts that were looked for in the cache.");
        prefixHits = page.Counter("xc2:prefix_cache_hits", "Tokens of prompts that were found there.");
        imageQueries = page.Counter("xc2:mm_cache_queries", "Prompts with pictures.");
        imageHits = page.Counter("xc2:mm_cache_hits", "Prompts none of whose pictures had to be encoded.");
        firstToken = page.Times("xc2:time_to_first_token_seconds", "From the request to the first text.");
        betweenTokens = page.Times("xc2:inter_token_latency_seconds", "Mean time of a token after the first.");
        whole = page.Times("xc2:e2e_request_latency_seconds", "From the request to the end of the answer.");
        queue = page.Times("xc2:request_queue_time_seconds", "From submission to admission by the engine.");
        prefill = page.Times("xc2:request_prefill_time_seconds", "Prompt in the decoder.");
        decode = page.Times("xc2:request_decode_time_seconds", "From the first token to the last.");
        preprocess = page.Times("xc2:vision_preprocess_seconds", "Decoding and resizing of pictures.");
        encode = page.Times("xc2:vision_encode_seconds", "Vision tower and projector.");
    }

    public void Respond(int statusCode) => responses.Add(1, statusCode.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>The first text of a request.</summary>
    public void Begin(TimeSpan sinceRequest) => firstToken.Observe(sinceRequest.TotalSeconds);

    /// <summary>An answer has ended.</summary>
    public void Finish(GenerationResult result, TimeSpan sinceRequest)
    {
        (TokenUsage usage, GenerationTimings timings) = (result.Usage, result.Timings);
        promptTokens.Add(usage.PromptTokens);
        generatedTokens.Add(usage.CompletionTokens);
        finished.Add(1, result.FinishReason == FinishReason.Length ? "length" : "stop");
        prefixQueries.Add(usage.PromptTokens);
        prefixHits.Add(usage.CachedTokens);
        whole.Observe(sinceRequest.TotalSeconds);
        queue.Observe(timings.Waiting.TotalSeconds);
        prefill.Observe(timings.Prefill.TotalSeconds);
        decode.Observe(timings.Decode.TotalSeconds);
        if (timings.DecodeSteps > 0)
            betweenTokens.Observe(timings.PerToken.TotalSeconds);
        if (usage.ImageTokens == 0)
            return;
        imageQueries.Add(1);
        if (timings.Vision > TimeSpan.Zero)
            encode.Observe(timings.Vision.TotalSeconds);
        else
            imageHits.Add(1);
        preprocess.Observe(timings.ImageDecode.TotalSeconds);
    }

    /// <summary>Writes all figures in Prometheus' text format.</summary>
    public async Task WriteAsync(EngineLoad? load, bool isDraining, bool isSleeping, Stream output, CancellationToken cancellation)
    {
        running.Set(load?.Running ?? 0);
        waiting.Set(load?.Waiting ?? 0);
        cacheUsage.Set(load is { Pages: > 0 } known ? (double)known.PagesInUse / known.Pages : 0);
        draining.Set(isDraining ? 1 : 0);
        sleeping.Set(isSleeping ? 1 : 0);
        await output.WriteAsync(Encoding.UTF8.GetBytes(page.ToString()), cancellation).ConfigureAwait(false);
    }
}

/// <summary>Series of figures, written in Prometheus' text format. Safe to use from several threads.</summary>
internal sealed class MetricPage
{
    // 1 ms to 131 s.
    private static readonly double[] bounds = [.. Enumerable.Range(0, 18).Select(power => 0.001 * (1 << power))];

    private readonly Lock gate = new();
    private readonly List<Action<StringBuilder>> series = [];

    /// <summary>A figure that goes up and down.</summary>
    public Value Gauge(string name, string help) => Add(name, help, "gauge", new Value(gate, name, null));

    /// <summary>A figure that goes up.</summary>
    /// <param name="name">Of the series.</param>
    /// <param name="help">One sentence.</param>
    /// <param name="label">Name of the label that tells its parts apart; null for none.</param>
    public Value Counter(string name, string help, string? label = null) => Add(name, help, "counter", new Value(gate, name, label));

    /// <summary>A distribution of times in seconds.</summary>
    public Histogram Times(string name, string help) => Add(name, help, "histogram", new Histogram(gate, name));

    /// <summary>All series.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        lock (gate)
            foreach (Action<StringBuilder> write in series)
                write(text);
        return text.ToString();
    }

    private T Add<T>(string name, string help, string type, T added)
        where T : notnull
    {
        series.Add(text => text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n{added}"));
        return added;
    }

    /// <summary>A gauge or a counter.</summary>
    public sealed class Value
    {
        private readonly Lock gate;
        private readonly string name;
        private readonly string? label;
        private readonly SortedDictionary<string, double> parts = new(StringComparer.Ordinal);

        public Value(Lock gate, string name, string? label)
        {
            (this.gate, this.name, this.label) = (gate, name, label);
            if (label is null)
                parts[""] = 0;
        }

        public void Set(double value)
        {
            lock (gate)
                parts[""] = value;
        }

        public void Add(double value, string part = "")
        {
            lock (gate)
                parts[part] = parts.GetValueOrDefault(part) + value;
        }

        public override string ToString()
        {
            var text = new StringBuilder();
            foreach ((string part, double value) in parts)
                text.Append(CultureInfo.InvariantCulture, $"{name}{(label is null ? "" : $"{{{label}=\"{part}\"}}")} {value}\n");
            return text.ToString();
        }
    }

    /// <summary>Counts of times up to each bound.</summary>
    public sealed class Histogram(Lock gate, string name)
    {
        private readonly long[] counts = new long[bounds.Length + 1];
        private double sum;

        public void Observe(double seconds)
        {
            int place = Array.FindIndex(bounds, bound => seconds <= bound);
            lock (gate)
            {
                counts[place < 0 ? bounds.Length : place]++;
                sum += seconds;
            }
        }

        public override string ToString()
        {
            var text = new StringBuilder();
            long count = 0;
            for (int place = 0; place < counts.Length; place++)
            {
                count += counts[place];
                string bound = place == bounds.Length ? "+Inf" : bounds[place].ToString(CultureInfo.InvariantCulture);
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{le=\"{bound}\"}} {count}\n");
            }

            return text.Append(CultureInfo.InvariantCulture, $"{name}_sum {sum}\n{name}_count {count}\n").ToString();
        }
    }
}
