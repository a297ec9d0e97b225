using System.Text.Json;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>One run of <c>xc2 chat</c>: a single answer, or a conversation.</summary>
internal sealed class ChatRun(CliServices services, ChatRequest request)
{
    private static readonly TimeSpan PatienceTime = TimeSpan.FromSeconds(3);

    private readonly CliConsole console = services.Console;

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        bool isConversation = request.Prompt is null && console.InputIsTerminal;
        if (request.Prompt is "-" && PictureReader.UsesStandardInput(request.Images))
            throw new UsageException("PROMPT - and --image - are both standard input");
        if (isConversation && request.Json)
            throw new UsageException("--json needs a PROMPT, or one on standard input");
        if (request.Session.PromptStyle is { } style)
            RequirePromptStyle(style);
        ModelFolder model = ModelFolder.Choose(request.ModelPath, services.Variable, AppContext.BaseDirectory);
        string prompt = isConversation ? "" : await ReadPromptAsync(cancellationToken).ConfigureAwait(false);
        if (!isConversation)
            PromptText.Check(prompt, request.Images.Count);
        PictureReader reader = new(console, request.AllowPrivateAddresses);
        List<PictureInput> pictures = await reader.ReadAllAsync(request.Images, cancellationToken).ConfigureAwait(false);

        using IChatClient client = await ConnectAsync(model, cancellationToken).ConfigureAwait(false);
        if (isConversation)
            return await new Conversation(services, client, request, reader, pictures).RunAsync().ConfigureAwait(false);
        AnswerPrinter printer = new(console);
        UserMessage message = new(prompt, [.. pictures.Select(request.ImageOf)]);
        GenerationResult result = await printer.PrintAsync(client.SendAsync(message, request.Generation, cancellationToken), isSilent: request.Json).ConfigureAwait(false);
        Conclude(result, printer, client.Info);
        return ExitCode.Done;
    }

    private static void RequirePromptStyle(string name)
    {
        try
        {
            _ = PromptStyle.Find(name);
        }
        catch (PromptException error)
        {
            throw new UsageException(error.Message);
        }
    }

    private async Task<string> ReadPromptAsync(CancellationToken cancellationToken)
    {
        bool isGiven = request.Prompt is not (null or "-");
        if (request.Prompt is not "-" && (console.InputIsTerminal || PictureReader.UsesStandardInput(request.Images)))
            return request.Prompt ?? "";
        Task<string> reading = PromptText.ReadAsync(console.In, cancellationToken);
        if (!isGiven)
            return await reading.ConfigureAwait(false);
        // A pipe that nobody writes to and nobody closes would look like a program that hangs.
        if (await Task.WhenAny(reading, Task.Delay(PatienceTime, cancellationToken)).ConfigureAwait(false) != reading && !cancellationToken.IsCancellationRequested)
            console.Hint("xc2: waiting for the end of standard input, which belongs to the prompt (</dev/null if there is none)");
        string piped;
        try
        {
            piped = await reading.ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Not readable, for example under nohup: nothing was piped.
            piped = "";
        }

        return string.IsNullOrWhiteSpace(piped) ? request.Prompt! : $"{piped}\n{request.Prompt}";
    }

    private Task<IChatClient> ConnectAsync(ModelFolder model, CancellationToken cancellationToken)
    {
        EngineOptions options = new() { ModelPath = model.Path, Adapters = request.Adapters, Loading = request.Loading, Device = request.Device, Quantization = request.Quantization, Fit = request.Fit, Limits = new EngineLimits { Context = request.ContextLength, Beams = request.Generation.Beams } };
        return ModelLoading.LoadAsync(
            console, model, options, request.Verbose, asked => services.ConnectChat(asked, request.Session, cancellationToken), client => client.Info);
    }

    private void Conclude(GenerationResult result, AnswerPrinter printer, EngineInfo info)
    {
        if (request.Json)
            console.Say(JsonSerializer.Serialize(ChatJson.Of(result, info), CliJson.Lines.ChatJson) + "\n");
        if (!request.Json || request.Verbose)
            printer.PrintRemarks(result, request.Generation.MaxTokens, request.Verbose, isConversation: false);
    }
}

/// <summary>What <c>xc2 chat</c> was asked for.</summary>
internal sealed record ChatRequest
{
    /// <summary>A checkpoint folder; null where the command line names none.</summary>
    public string? ModelPath { get; init; }

    /// <summary>How weight files are used.</summary>
    public WeightLoading Loading { get; init; }

    /// <summary>Null: standard input, or a conversation where that is a terminal. "-": standard input. Else it follows the text of standard input.</summary>
    public string? Prompt { get; init; }

    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>Folders of LoRA adapters.</summary>
    public IReadOnlyList<string> Adapters { get; init; } = [];

    /// <summary>Handling of the EXIF orientation.</summary>
    public ExifOrientation Orientation { get; init; } = ExifOrientation.Apply;

    /// <summary>Allows downloads from this machine and private networks.</summary>
    public bool AllowPrivateAddresses { get; init; }

    public DeviceOptions Device { get; init; } = new();

    public WeightQuantization Quantization { get; init; }

    /// <summary>Where a GPU has too little memory, a smaller form of the model is loaded.</summary>
    public bool Fit { get; init; }

    public int? ContextLength { get; init; }

    public SessionOptions Session { get; init; } = new();

    public GenerationOptions Generation { get; init; } = new();

    /// <summary>One JSON object instead of text.</summary>
    public bool Json { get; init; }

    /// <summary>Whether later conversations can recall the messages of this one.</summary>
    public bool KeepsHistory { get; init; } = true;

    /// <summary>Timings on standard error.</summary>
    public bool Verbose { get; init; }

    public ImageInput ImageOf(PictureInput picture) => ImageInput.FromBytes(picture.Bytes, picture.Name, Orientation);
}

/// <summary>The object that <c>xc2 chat --json</c> prints. Names and units are a promise to scripts.</summary>
internal sealed record ChatJson(
    string Text, string FinishReason, IReadOnlyList<int> TokenIds, UsageJson Usage, ulong Seed, TimingsJson Timings, string Model, string Device)
{
    public static ChatJson Of(GenerationResult result, EngineInfo info) => new(
        result.Text,
        FinishName(result.FinishReason),
        result.TokenIds,
        new UsageJson(result.Usage.PromptTokens, result.Usage.ImageTokens, result.Usage.CachedTokens, result.Usage.CompletionTokens),
        result.Seed,
        TimingsJson.Of(result.Timings, info.LoadTime),
        info.Model,
        info.Device);

    public static string FinishName(FinishReason reason) => reason switch
    {
        Native.FinishReason.Length => "length",
        Native.FinishReason.Stopped => "stopped",
        _ => "stop",
    };

    public static FinishReason FinishReasonOf(string? name) => name switch
    {
        "length" => Native.FinishReason.Length,
        "stopped" => Native.FinishReason.Stopped,
        _ => Native.FinishReason.Stop,
    };
}

/// <summary>Tokens of one answer.</summary>
internal sealed record UsageJson(int PromptTokens, int ImageTokens, int CachedTokens, int CompletionTokens);

/// <summary>Times in milliseconds.</summary>
internal sealed record TimingsJson(double Load, double ImageDecode, double Vision, double Prefill, double Decode, double PerToken)
{
    public static TimingsJson Of(GenerationTimings timings, TimeSpan load) => new(
        Round(load), Round(timings.ImageDecode), Round(timings.Vision), Round(timings.Prefill), Round(timings.Decode), Round(timings.PerToken));

    private static double Round(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}
