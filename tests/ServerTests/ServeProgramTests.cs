using System.Diagnostics;
using System.Text.Json;
using XComposer2.Native.Cli;
using XComposer2.Native.Server;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary><c>xc2 serve</c> as a process, and what its options mean.</summary>
public sealed class ServeProgramTests
{
    private static readonly TimeSpan limit = ServeProgram.Limit;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task Signal_ends_the_server_after_the_answer_under_way(string log)
    {
        using Process server = ServeProgram.Start("serve", "--port", "0", "--device", "cpu", "--threads", "2", "--log", log);
        string ready = await ServeProgram.ReadyAsync(server);
        using var http = new HttpClient { BaseAddress = new Uri(ready) };
        using var content = new StringContent("""{"prompt":"secret words","max_tokens":500,"temperature":0,"ignore_eos":true,"stream":true}""", System.Text.Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = content };
        using HttpResponseMessage stream = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using (Process kill = Process.Start("kill", ["-TERM", $"{server.Id}"]))
            await kill.WaitForExitAsync(Cancellation);
        Assert.EndsWith("data: [DONE]\n\n", await stream.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        string errors = await server.StandardError.ReadToEndAsync(Cancellation);
        Assert.True(server.WaitForExit(limit));
        Assert.True(server.ExitCode == 0, errors);
        Assert.DoesNotContain("secret", errors, StringComparison.Ordinal);
        string line = Assert.Single(errors.Split('\n'), found => found.Contains("/v1/completions", StringComparison.Ordinal));
        if (log == "json")
            Assert.Equal(200, JsonDocument.Parse(line).RootElement.GetProperty("State").GetProperty("Status").GetInt32());
    }

    [Fact]
    public async Task Port_in_use_is_reported()
    {
        await using XComposerServer first = await XComposerServer.StartAsync(new ServerOptions { Port = 0 }, Cancellation);
        using Process second = ServeProgram.Start("serve", "--port", new Uri(first.Addresses[0]).Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        string errors = await second.StandardError.ReadToEndAsync(Cancellation);
        Assert.True(second.WaitForExit(limit));
        Assert.Equal(1, second.ExitCode);
        Assert.Contains("xc2: the server cannot start on 127.0.0.1:", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_model_ends_the_server()
    {
        using Process server = ServeProgram.Start("serve", "--port", "0", "--model", "nowhere");
        string errors = await server.StandardError.ReadToEndAsync(Cancellation);
        Assert.True(server.WaitForExit(limit));
        Assert.Equal(1, server.ExitCode);
        Assert.Contains("nowhere", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Variables_are_the_defaults_of_options()
    {
        var request = new ServeRequest { Engine = new EngineOptions { ModelPath = "" } };
        Assert.Equal(("127.0.0.1", 8080, 0), Seen(ServeRun.OptionsOf(request, _ => null)));
        Dictionary<string, string> variables = new() { ["XC2_HTTP_HOST"] = "::1", ["XC2_HTTP_PORT"] = "99", ["XC2_API_KEY"] = "k" };
        Assert.Equal(("::1", 99, 1), Seen(ServeRun.OptionsOf(request, variables.GetValueOrDefault)));
        Assert.Equal(("0.0.0.0", 5, 1), Seen(ServeRun.OptionsOf(request with { Host = "0.0.0.0", Port = 5 }, variables.GetValueOrDefault)));
        variables["XC2_HTTP_PORT"] = "tcp://10.0.0.1:80";
        Assert.Throws<UsageException>(() => ServeRun.OptionsOf(request, variables.GetValueOrDefault));

        static (string, int, int) Seen(ServerOptions options) => (options.Host, options.Port, options.ApiKeys.Count);
    }

    [Fact]
    public async Task File_of_keys_has_one_a_line()
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("xc2 keys-").FullName, "keys");
        await File.WriteAllTextAsync(file, "# people\nfirst\n\n second \n", Cancellation);
        var request = new ServeRequest { Engine = new EngineOptions { ModelPath = "" }, KeyFile = file };
        Assert.Equal(["first", "second"], ServeRun.OptionsOf(request, _ => null).ApiKeys);
        await File.WriteAllTextAsync(file, "# nobody\n", Cancellation);
        Assert.Throws<UsageException>(() => ServeRun.OptionsOf(request, _ => null));
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    /// <summary>Other commands start as fast as before: they load nothing of the server.</summary>
    [Fact]
    public async Task Chat_does_not_load_the_web_server()
    {
        using Process chat = ServeProgram.Start("chat", "--device", "cpu", "-");
        // The prompt is awaited by then.
        string maps = "";
        for (int attempt = 0; attempt < 200 && !maps.Contains("System.CommandLine", StringComparison.Ordinal); attempt++)
        {
            await Task.Delay(50, Cancellation);
            maps = await File.ReadAllTextAsync($"/proc/{chat.Id}/maps", Cancellation);
        }

        await chat.StandardInput.WriteAsync("Hello");
        chat.StandardInput.Close();
        await Task.Delay(300, Cancellation);
        if (!chat.HasExited)
            maps += await File.ReadAllTextAsync($"/proc/{chat.Id}/maps", Cancellation);
        Assert.True(chat.WaitForExit(limit));
        Assert.Contains("xc2.dll", maps, StringComparison.Ordinal);
        Assert.DoesNotContain("AspNetCore", maps, StringComparison.Ordinal);
        Assert.DoesNotContain("XComposer2.Native.Server", maps, StringComparison.Ordinal);
    }
}
