using System.Diagnostics;
using System.Globalization;

namespace XComposer2.Native.ServeBench;

/// <summary><c>xc2 serve</c> as a process on a free port, and its memory.</summary>
internal sealed class ServeProcess : IAsyncDisposable
{
    private readonly Process process;

    private ServeProcess(Process process, HttpClient http)
    {
        this.process = process;
        Http = http;
    }

    public HttpClient Http { get; }

    /// <summary>Memory of the process in bytes, as the system counts it.</summary>
    public long ResidentBytes
    {
        get
        {
            string line = File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.AsSpan(6, line.Length - 6 - 3).Trim(), CultureInfo.InvariantCulture) << 10;
        }
    }

    public static async Task<ServeProcess> StartAsync(BenchSettings settings, int parallel)
    {
        List<string> arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "xc2.dll"), "serve", "--port", "0", "--log", "none", "--device", "cpu", "--queue", "64",
            "--threads", settings.Threads.ToString(CultureInfo.InvariantCulture), "--parallel", parallel.ToString(CultureInfo.InvariantCulture), "--model", settings.Model,
        ];
        Process started = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })!;
        while (await started.StandardOutput.ReadLineAsync().ConfigureAwait(false) is { } line)
            if (line.StartsWith("Ready: ", StringComparison.Ordinal))
                return new ServeProcess(started, new HttpClient { BaseAddress = new Uri(line.Split(' ')[1]), Timeout = Timeout.InfiniteTimeSpan });
        throw new InvalidOperationException("xc2 serve has ended before it was ready");
    }

    /// <summary>A figure of <c>/metrics</c>.</summary>
    public async Task<double> MetricAsync(string name)
    {
        string page = await Http.GetStringAsync(new Uri("/metrics", UriKind.Relative)).ConfigureAwait(false);
        return double.Parse(page.Split('\n').First(line => line.StartsWith(name + " ", StringComparison.Ordinal))[(name.Length + 1)..], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        process.Kill();
        await process.WaitForExitAsync().ConfigureAwait(false);
        process.Dispose();
    }
}

/// <summary>What is measured.</summary>
/// <param name="Model">A checkpoint folder.</param>
/// <param name="Threads">Of the engine.</param>
/// <param name="Seconds">Duration of a soak.</param>
/// <param name="Rounds">Of latency and throughput.</param>
internal sealed record BenchSettings(string Model, int Threads, int Seconds, int Rounds);
