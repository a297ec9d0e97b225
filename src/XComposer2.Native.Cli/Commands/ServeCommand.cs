using System.CommandLine;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 serve</c>.</summary>
internal static class ServeCommand
{
    public const string HelpPage = $$"""
        Usage: xc2 serve [options]

        Answers requests over HTTP with OpenAI's API: /v1/chat/completions with text
        and pictures, /v1/completions, /v1/responses, /v1/models; with Anthropic's:
        /v1/messages; /v1/xc2 for articles with pictures; and /health, /metrics,
        /props, /tokenize, /detokenize, /apply-template, /openapi.json. Its address in
        a browser is a page for chats and articles. Ends on Ctrl-C or SIGTERM when the
        requests under way are answered.

        Model
        {{ModelOptions.HelpLines}}
        {{ModelOptions.FitHelpLines}}
          --name NAME              its name in responses (that of the checkpoint)
          --parallel N             answers generated together, 1 to 64 (8)
          --cache-memory MB        memory for keys and values (one longest sequence)

        Address
          --host ADDRESS           where to listen (else $XC2_HTTP_HOST, else 127.0.0.1:
                                   this machine only)
          --port N                 0 for a free one (else $XC2_HTTP_PORT, else 8080)
          --api-key-file FILE      accepted keys, one a line (else $XC2_API_KEY, one
                                   key; else none is needed)
          --tls-cert FILE          a certificate (PEM) for https
          --tls-key FILE           its key (PEM), if not in the same file

        Limits
          --queue N                answers that wait; then status 429 (32)
          --timeout SECONDS        longest request, waiting included (600)
          --drain SECONDS          time for requests under way at the end (30)
          --sleep-after SECONDS    without a request for so long, the model's memory is
                                   given back; the next request loads it again
                                   (never)
          --max-body MB            size of a request, 1 to 1024 (32)
          --max-images N           pictures of a request (16)
          --max-pixels N           pixels of a picture (67108864)
          --image-host HOST        pictures may come from https://HOST/; repeat for more
          --image-folder DIR       pictures may come from file:// below this folder

        Articles
          --articles DIR           where articles are kept, for all clients
                                   ($XDG_DATA_HOME/xc2/articles, else
                                   ~/.local/share/xc2/articles)
          -g, --gallery DIR        a folder to search for pictures; the model indexes it
          --picture-service URL    a service to search instead; captions are sent to it
          --allow-host HOST        a host that may be connected to; repeat for more

        Log
          --log text|json|none     how lines of the log are written (text)
          --log-prompts            prompts and answers are in the log
          -v, --verbose            stack traces of errors

        Examples
          xc2 serve
          xc2 serve --model ./internlm-xcomposer2-vl-7b --parallel 4 --port 8000
          xc2 serve --host 0.0.0.0 --api-key-file keys.txt --log json
        """;

    private const int MaximumSeconds = 86_400, MaximumMegabytes = 1 << 20;

    public static Command Create(CliServices services, Option<bool> verbose)
    {
        Option<string?> model = ModelOptions.Model(), name = new("--name");
        Option<string[]> adapters = ModelOptions.Adapters();
        Option<DeviceKind?> device = ModelOptions.Device();
        Option<DType?> storage = ModelOptions.Storage();
        Option<EmbeddingPlace?> embeddings = ModelOptions.Embeddings();
        WeightOptions weights = new();
        (Option<bool> Fit, Option<bool> NoFit) fit = ModelOptions.Fit();
        Option<ActivationPrecision?> activations = ModelOptions.Activations();
        Option<CacheFormat?> cache = ModelOptions.Cache();
        Option<SumPrecision?> sums = ModelOptions.Sums();
        Option<WeightLoading?> loading = ModelOptions.Loading();
        Option<int?> threads = ModelOptions.Threads(), context = ModelOptions.Context();
        Option<int?> parallel = CheckedOption.Integer("--parallel", 1, 64), cacheMemory = CheckedOption.Integer("--cache-memory", 1, MaximumMegabytes);
        Option<string?> host = new("--host"), keyFile = new("--api-key-file"), certificate = new("--tls-cert"), key = new("--tls-key");
        Option<int?> port = CheckedOption.Of("--port", ServeValues.Port);
        Option<int?> queue = CheckedOption.Integer("--queue", 0, 100_000), timeout = CheckedOption.Integer("--timeout", 1, MaximumSeconds), drain = CheckedOption.Integer("--drain", 0, MaximumSeconds), sleepAfter = CheckedOption.Integer("--sleep-after", 1, MaximumSeconds);
        Option<int?> maxBody = CheckedOption.Integer("--max-body", 1, 1024), maxImages = CheckedOption.Integer("--max-images", 0, 1000), maxPixels = CheckedOption.Integer("--max-pixels", 1, 1 << 28);
        Option<string[]> imageHosts = new("--image-host") { Arity = ArgumentArity.OneOrMore };
        Option<string?> imageFolder = new("--image-folder");
        Option<string?> articles = new("--articles"), gallery = new("--gallery", "-g"), service = new("--picture-service");
        Option<string[]> serviceHosts = new("--allow-host") { Arity = ArgumentArity.OneOrMore };
        Option<ServeLog?> log = CheckedOption.Choice("--log", ("text", ServeLog.Text), ("json", ServeLog.Json), ("none", ServeLog.None));
        Option<bool> logPrompts = CheckedOption.Flag("--log-prompts");
        DocumentedCommand command = new("serve", HelpPage)
        {
            model, name, adapters, device, storage, embeddings, fit.Fit, fit.NoFit, activations, cache, sums, loading, threads, context, parallel, cacheMemory, host, port, keyFile, certificate, key,
            queue, timeout, drain, sleepAfter, maxBody, maxImages, maxPixels, imageHosts, imageFolder, articles, gallery, service, serviceHosts, log, logPrompts,
        };
        weights.AddTo(command);
        command.SetAction((result, cancellationToken) => ServeRun.RunAsync(
            services,
            new ServeRequest
            {
                ModelPath = result.GetValue(model),
                Engine = new EngineOptions
                {
                    ModelPath = "",
                    Adapters = result.GetValue(adapters) is { Length: > 0 } folders ? folders : [],
                    Loading = result.GetValue(loading) ?? WeightLoading.Mapped,
                    Device = ModelOptions.DeviceOf(result, device, threads, storage, embeddings, activations, cache, sums),
                    Quantization = weights.Read(result).Quantization,
                    Fit = ModelOptions.FitOf(result, fit, weights.IsChosen(result)),
                    Limits = new EngineLimits
                    {
                        Sequences = result.GetValue(parallel) ?? new EngineLimits().Sequences,
                        Context = result.GetValue(context),
                        CacheBytes = (long?)result.GetValue(cacheMemory) << 20,
                    },
                },
                Name = result.GetValue(name),
                Host = result.GetValue(host),
                Port = result.GetValue(port),
                KeyFile = result.GetValue(keyFile),
                CertificatePath = result.GetValue(certificate),
                CertificateKeyPath = result.GetValue(key),
                Queue = result.GetValue(queue),
                Timeout = Seconds(result.GetValue(timeout)),
                Drain = Seconds(result.GetValue(drain)) ?? TimeSpan.FromSeconds(30),
                SleepAfter = Seconds(result.GetValue(sleepAfter)),
                MaxBodyBytes = (long?)result.GetValue(maxBody) << 20,
                MaxImages = result.GetValue(maxImages),
                MaxPixels = result.GetValue(maxPixels),
                ImageHosts = result.GetValue(imageHosts) ?? [],
                ImageFolder = result.GetValue(imageFolder),
                Articles = result.GetValue(articles),
                Pictures = new PictureSourceRequest(result.GetValue(gallery), result.GetValue(service), result.GetValue(serviceHosts) ?? []),
                Log = result.GetValue(log) ?? ServeLog.Text,
                LogsPrompts = result.GetValue(logPrompts),
                Verbose = result.GetValue(verbose),
            },
            cancellationToken));
        return command;
    }

    private static TimeSpan? Seconds(int? seconds) => seconds is { } known ? TimeSpan.FromSeconds(known) : null;
}

/// <summary>What <c>xc2 serve</c> was asked for; null where the command line says nothing.</summary>
internal sealed record ServeRequest
{
    public string? ModelPath { get; init; }

    /// <summary>Without the path of the model.</summary>
    public required EngineOptions Engine { get; init; }

    public string? Name { get; init; }

    public string? Host { get; init; }

    public int? Port { get; init; }

    public string? KeyFile { get; init; }

    public string? CertificatePath { get; init; }

    public string? CertificateKeyPath { get; init; }

    public int? Queue { get; init; }

    public TimeSpan? Timeout { get; init; }

    public TimeSpan Drain { get; init; }

    public TimeSpan? SleepAfter { get; init; }

    public long? MaxBodyBytes { get; init; }

    public int? MaxImages { get; init; }

    public int? MaxPixels { get; init; }

    public IReadOnlyList<string> ImageHosts { get; init; } = [];

    public string? ImageFolder { get; init; }

    /// <summary>Null for the folder of the user.</summary>
    public string? Articles { get; init; }

    public PictureSourceRequest Pictures { get; init; } = PictureSourceRequest.None;

    public ServeLog Log { get; init; }

    public bool LogsPrompts { get; init; }

    public bool Verbose { get; init; }
}

/// <summary>What <c>--log</c> says. The server's own type would load the server with every command.</summary>
internal enum ServeLog
{
    Text,
    Json,
    None,
}

/// <summary>Ranges of values that a variable may set too.</summary>
internal static class ServeValues
{
    public static CheckedValue<int?> Port { get; } = CheckedValues.Integer(0, 65_535);
}
