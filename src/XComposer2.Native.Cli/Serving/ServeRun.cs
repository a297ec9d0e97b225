using XComposer2.Native.Server;

namespace XComposer2.Native.Cli;

/// <summary>One run of <c>xc2 serve</c>. Only this file names the server, so that other commands do not load it.</summary>
internal static class ServeRun
{
    private const string HostVariable = "XC2_HTTP_HOST", PortVariable = "XC2_HTTP_PORT", KeyVariable = "XC2_API_KEY";

    public static async Task<int> RunAsync(CliServices services, ServeRequest request, CancellationToken cancellationToken)
    {
        CliConsole console = services.Console;
        ServerOptions options = OptionsOf(request, services.Variable);
        ModelFolder model = ModelFolder.Choose(request.ModelPath, services.Variable, AppContext.BaseDirectory);
        XComposerServer server = await XComposerServer.StartAsync(options, cancellationToken).ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            console.Hint($"xc2: listening on {string.Join(", ", server.Addresses)}, loading the model ...");
            EngineInfo info = await ModelLoading.LoadAsync(
                console, model, request.Engine, request.Verbose, engine => server.LoadAsync(engine, cancellationToken), loaded => loaded).ConfigureAwait(false);
            // From here on a signal must not end the program before the requests under way are answered.
            using Interrupts.SaveScope draining = services.Interrupts.BeginSaving();
            console.Say($"Ready: {server.Addresses[0]} ({info.Model}; {info.Device})\n");
            console.Out.Flush();
            await ((Task)Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            console.Hint("xc2: ending when the requests under way are answered ...");
            if (!await server.DrainAsync(request.Drain).ConfigureAwait(false))
                console.Hint($"xc2: some requests were not answered within {request.Drain.TotalSeconds:0} s");
            await server.DisposeAsync().ConfigureAwait(false);
        }

        return ExitCode.Done;
    }

    /// <exception cref="UsageException">A variable has a value out of its range, or the file of keys has none.</exception>
    internal static ServerOptions OptionsOf(ServeRequest request, Func<string, string?> variable)
    {
        request.Pictures.Require();
        var defaults = new ServerOptions();
        return defaults with
        {
            Host = request.Host ?? NotEmpty(variable(HostVariable)) ?? defaults.Host,
            Port = request.Port ?? (NotEmpty(variable(PortVariable)) is { } port ? ServeValues.Port.Parse(PortVariable, port) : defaults.Port),
            ApiKeys = request.KeyFile is { } file ? KeysOf(file) : NotEmpty(variable(KeyVariable)) is { } key ? [key] : [],
            CertificatePath = request.CertificatePath,
            CertificateKeyPath = request.CertificateKeyPath,
            ModelName = request.Name,
            QueueLength = request.Queue ?? defaults.QueueLength,
            RequestTimeout = request.Timeout ?? defaults.RequestTimeout,
            SleepAfter = request.SleepAfter,
            MaxBodyBytes = request.MaxBodyBytes ?? defaults.MaxBodyBytes,
            MaxPictures = request.MaxImages ?? defaults.MaxPictures,
            MaxPicturePixels = request.MaxPixels ?? defaults.MaxPicturePixels,
            PictureHosts = request.ImageHosts,
            PictureFolder = request.ImageFolder,
            ArticlesFolder = request.Articles ?? DefaultArticles(variable),
            Gallery = request.Pictures.Gallery,
            PictureService = request.Pictures.Service is { } service ? new Uri(service) : null,
            PictureServiceHosts = request.Pictures.AllowedHosts,
            Log = request.Log switch { ServeLog.Json => LogStyle.Json, ServeLog.None => LogStyle.None, _ => LogStyle.Text },
            LogsPrompts = request.LogsPrompts,
        };
    }

    // Null where there is no home folder.
    private static string? DefaultArticles(Func<string, string?> variable)
    {
        if (variable("XDG_DATA_HOME") is { Length: > 0 } data && Path.IsPathFullyQualified(data))
            return Path.Combine(data, "xc2", "articles");
        string home = Environment.GetFolderPath(OperatingSystem.IsLinux() ? Environment.SpecialFolder.UserProfile : Environment.SpecialFolder.LocalApplicationData);
        if (home.Length == 0)
            return null;
        return Path.Combine(OperatingSystem.IsLinux() ? Path.Combine(home, ".local", "share") : home, "xc2", "articles");
    }

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static string[] KeysOf(string file)
    {
        string[] keys = [.. TextFile.Read(file).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#')];
        return keys.Length > 0 ? keys : throw new UsageException($"--api-key-file {file}: expected one key a line, found none");
    }
}
