using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using XComposer2.Native;
using XComposer2.Native.Devices;
using XComposer2.Native.Model;
using XComposer2.Native.ServeBench;

const int SoakClients = 4, FirstTokens = 50;

int tokens = int.Parse(Option("--tokens", "400"), CultureInfo.InvariantCulture);
string kind = args is [{ } first, ..] ? first : "";
if (kind is not ("latency" or "throughput" or "soak" or "checkpoint"))
{
    Console.Error.WriteLine("usage: ServeBench latency|throughput|soak [--model DIR] [--threads N] [--rounds N] [--seconds N] [--tokens N]");
    Console.Error.WriteLine("       ServeBench checkpoint --out DIR [--preset NAME] [--layers N]");
    return 2;
}

if (kind == "checkpoint")
{
    RandomCheckpoint.Write(Option("--out", "random-checkpoint"), Option("--preset", ModelPresets.VisionLanguage1B8), int.Parse(Option("--layers", "4"), CultureInfo.InvariantCulture), "tools/demo/checkpoint");
    return 0;
}

var settings = new BenchSettings(
    Option("--model", "tools/demo/checkpoint"), int.Parse(Option("--threads", "2"), CultureInfo.InvariantCulture),
    int.Parse(Option("--seconds", "600"), CultureInfo.InvariantCulture), int.Parse(Option("--rounds", "15"), CultureInfo.InvariantCulture));
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind}: {settings.Model}, {settings.Threads} threads, {Environment.ProcessorCount} processors"));
await (kind switch
{
    "latency" => LatencyAsync(),
    "throughput" => ThroughputAsync(),
    _ => SoakAsync(),
});
return 0;

string Option(string name, string usual) => Array.IndexOf(args, name) is >= 0 and int place && place + 1 < args.Length ? args[place + 1] : usual;

// One client of the server and a loop in this process, in turns: the same prompt, the same tokens.
async Task LatencyAsync()
{
    await using ServeProcess server = await ServeProcess.StartAsync(settings, parallel: 1);
    await using XComposerEngine engine = await XComposerEngine.LoadAsync(new EngineOptions { ModelPath = settings.Model, Device = new DeviceOptions { Kind = DeviceKind.Cpu, Threads = settings.Threads } });
    List<double> served = [], local = [];
    for (int round = -2; round < settings.Rounds; round++)
    {
        double overHttp = (await Requests.MeasureStreamAsync(server.Http, tokens)).PerToken, inProcess = await LocalAsync(engine);
        if (round < 0)
            continue;
        served.Add(overHttp);
        local.Add(inProcess);
    }

    Report("in process", local, 1e6, "us a token");
    Report("over HTTP", served, 1e6, "us a token");
    Report("ratio", [.. served.Zip(local, (one, other) => one / other)], 1, "");
}

async Task<double> LocalAsync(XComposerEngine engine)
{
    var events = Channel.CreateUnbounded<GenerationEvent>();
    var asked = new Conversation([PromptPiece.OfText([engine.Tokenizer.BosId, .. engine.Tokenizer.Encode(Requests.Prompt)])], [], []);
    PendingAnswer answer = await engine.Answers.SubmitAsync(asked, [], new GenerationOptions { Greedy = true, MaxTokens = tokens }, events.Writer, CancellationToken.None);
    long begun = 0, last = 0;
    while (await events.Reader.WaitToReadAsync())
        while (events.Reader.TryRead(out _))
        {
            last = Stopwatch.GetTimestamp();
            begun = begun == 0 ? last : begun;
        }

    await answer.Result;
    return Stopwatch.GetElapsedTime(begun, last).TotalSeconds / (tokens - 1);
}

async Task ThroughputAsync()
{
    await using ServeProcess server = await ServeProcess.StartAsync(settings, parallel: 8);
    await Requests.MeasureStreamAsync(server.Http, FirstTokens);
    foreach (int clients in (int[])[1, 2, 4, 8])
    {
        List<double> rates = [];
        for (int round = 0; round < settings.Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(() => Requests.MeasureStreamAsync(server.Http, tokens))));
            rates.Add(clients * tokens / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        Report($"{clients} clients", rates, 1, "tokens/s");
    }
}

// Clients that ask for as long as they are told, half of them with pictures that no cache knows.
async Task SoakAsync()
{
    await using ServeProcess server = await ServeProcess.StartAsync(settings, parallel: 4);
    long begun = Stopwatch.GetTimestamp();
    int pictures = 0, questions = 0, errors = 0;
    Task[] clients = [.. Enumerable.Range(0, SoakClients).Select(client => Task.Run(async () =>
    {
        while (Stopwatch.GetElapsedTime(begun).TotalSeconds < settings.Seconds)
        {
            string body = client % 2 == 0 ? Requests.AboutPicture(Requests.Picture(Interlocked.Increment(ref pictures))) : Requests.Question(Interlocked.Increment(ref questions));
            if (await Requests.AskAsync(server.Http, body) != 200)
                Interlocked.Increment(ref errors);
            // The machine has other work, too.
            await Task.Delay(20);
        }
    }))];
    int samples = 10;
    for (int sample = 1; sample <= samples; sample++)
    {
        TimeSpan due = TimeSpan.FromSeconds((double)settings.Seconds * sample / samples) - Stopwatch.GetElapsedTime(begun);
        if (due > TimeSpan.Zero)
            await Task.Delay(due);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(begun).TotalSeconds,6:0} s  {server.ResidentBytes / 1048576.0,7:0.0} MiB  {pictures} pictures  {questions} questions  {errors} errors"));
    }

    await Task.WhenAll(clients);
    double pages = await server.MetricAsync("xc2:kv_cache_usage_perc"), running = await server.MetricAsync("xc2:num_requests_running");
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"at the end: {running} requests running, {pages} of the pages in use"));
}

static void Report(string name, IReadOnlyList<double> values, double scale, string unit)
{
    double[] sorted = [.. values.Order()];
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-12} median {sorted[sorted.Length / 2] * scale:0.###} {unit} ({sorted[0] * scale:0.###} to {sorted[^1] * scale:0.###}, {sorted.Length} rounds)"));
}
