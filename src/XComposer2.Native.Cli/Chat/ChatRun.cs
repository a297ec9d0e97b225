using System.Text.Json;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>One run of <c>xc2 chat</c>: a single answer, or a conversation.</summary>
internal sealed class ChatRun(CliServices services, ChatRequest request)
{
    private readonly CliConsole console = services.Console;

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        bool isConversation = request.Prompt is null && console.InputIsTerminal;
        if (isConversation && request.Json)
            throw new UsageException("--json needs a PROMPT, or one on standard input");
        if (request.Session.PromptStyle is { } style)
            RequirePromptStyle(style);
        ModelFolder model = ModelFolder.Choose(request.ModelPath, services.Variable, AppContext.BaseDirectory);
        string prompt = isConversation ? "" : await ReadPromptAsync(cancellationToken).ConfigureAwait(false);
        if (!isConversation)
            PromptText.Check(prompt, request.Images.Count);
        foreach (string image in request.Images)
            PictureFile.RequireExists(image);

        using IChatClient client = await ConnectAsync(model, cancellationToken).ConfigureAwait(false);
        if (isConversation)
            return await new Conversation(services, client, request).RunAsync().ConfigureAwait(false);
        await AnswerAsync(client, prompt, cancellationToken).ConfigureAwait(false);
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
        if (request.Prompt is not (null or "-"))
            return request.Prompt;
        if (request.Prompt is null && console.InputIsTerminal)
            return "";
        return await PromptText.ReadAsync(console.In, cancellationToken).ConfigureAwait(false);
    }

    private Task<IChatClient> ConnectAsync(ModelFolder model, CancellationToken cancellationToken)
    {
        EngineOptions options = new() { ModelPath = model.Path, Device = request.Device, Quantization = request.Quantization, ContextLength = request.ContextLength };
        return ModelLoading.LoadAsync(
            console, model, options, request.Verbose, asked => services.ConnectChat(asked, request.Session, cancellationToken), client => client.Info);
    }

    private async Task AnswerAsync(IChatClient client, string prompt, CancellationToken cancellationToken)
    {
        UserMessage message = new(prompt, [.. request.Images.Select(ImageInput.FromFile)]);
        AnswerPrinter printer = new(console);
        GenerationResult result = await printer.PrintAsync(client.SendAsync(message, request.Generation, cancellationToken), isSilent: request.Json).ConfigureAwait(false);
        if (request.Json)
            console.Say(JsonSerializer.Serialize(ChatJson.Of(result, client.Info), CliJson.Lines.ChatJson) + "\n");
        printer.PrintRemarks(result, request.Verbose);
    }
}
