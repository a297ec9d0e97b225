namespace XComposer2.Native.Cli;

/// <summary>The chat at a terminal: a line is a message, or a command when it begins with a slash.</summary>
internal sealed class Conversation(CliServices services, IChatClient client, ChatRequest request, PictureReader reader, IEnumerable<PictureInput> pictures)
{
    private const string Help = """
          /image FILE   adds a picture (or its https:// address) to the next message;
                        <ImageHere> says where
          /reset        forgets the conversation
          /save FILE    writes it, as Markdown (.md) or JSON (.json)
          /help         this list
          /exit         leaves, as Ctrl-D does; Ctrl-C stops an answer
        """;

    private readonly CliConsole console = services.Console;
    private readonly AnswerPrinter printer = new(services.Console);
    private readonly List<PictureInput> waitingPictures = [.. pictures];

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync()
    {
        console.Note($"{client.Info.Model}, {client.Info.Device}. /help lists the commands.");
        while (true)
        {
            string? line = await ReadAsync().ConfigureAwait(false);
            if (line is null)
                return ExitCode.Done;
            if (string.IsNullOrWhiteSpace(line) && waitingPictures.Count == 0)
                continue;
            if (!line.StartsWith('/'))
                await SendAsync(line).ConfigureAwait(false);
            else if (!await ObeyAsync(line).ConfigureAwait(false))
                return ExitCode.Done;
        }
    }

    private async Task<string?> ReadAsync()
    {
        string pictures = waitingPictures.Count switch { 0 => "", 1 => "(1 picture) ", int count => $"({count} pictures) " };
        try
        {
            string? line = await console.ReadLineAsync($"{pictures}> ", services.Interrupts.Program).ConfigureAwait(false);
            if (line is null)
                console.Error.WriteLine();
            return line;
        }
        catch (OperationCanceledException)
        {
            console.Error.WriteLine();
            throw;
        }
    }

    private async Task SendAsync(string text)
    {
        using Interrupts.AnswerScope scope = services.Interrupts.BeginAnswer();
        try
        {
            PromptText.Check(text, waitingPictures.Count);
            UserMessage message = new(text, [.. waitingPictures.Select(request.ImageOf)]);
            GenerationResult result = await printer.PrintAsync(client.SendAsync(message, request.Generation, scope.Token), isSilent: false).ConfigureAwait(false);
            printer.PrintRemarks(result, request.Verbose);
            waitingPictures.Clear();
        }
        catch (OperationCanceledException) when (!services.Interrupts.Program.IsCancellationRequested)
        {
            console.Error.WriteLine(console.Dim("(stopped; the conversation is as it was before)"));
        }
        catch (Exception error) when (error is not (ClosedPipeException or OperationCanceledException))
        {
            Complain(error);
            DropPictures(error);
        }
    }

    private void DropPictures(Exception error)
    {
        if (error is not Model.ImageException || waitingPictures.Count == 0)
            return;
        waitingPictures.Clear();
        console.Error.WriteLine("No picture is waiting any more.");
    }

    /// <returns>False to leave.</returns>
    private async Task<bool> ObeyAsync(string line)
    {
        string[] words = line.Split((char[]?)null, 2, StringSplitOptions.TrimEntries);
        string argument = words.Length > 1 ? PictureFile.Unquote(words[1]) : "";
        try
        {
            switch (words[0])
            {
                case "/exit":
                    return false;
                case "/help":
                    console.Error.WriteLine(Help);
                    break;
                case "/image":
                    await AddPictureAsync(argument).ConfigureAwait(false);
                    break;
                case "/reset":
                    client.Reset();
                    waitingPictures.Clear();
                    console.Error.WriteLine("The conversation is forgotten.");
                    break;
                case "/save":
                    Save(argument);
                    break;
                default:
                    throw new UsageException($"there is no command {words[0]}; /help lists them");
            }
        }
        catch (Exception error) when (error is not ClosedPipeException)
        {
            Complain(error);
        }
        return true;
    }

    private async Task AddPictureAsync(string name)
    {
        if (name.Length == 0)
            throw new UsageException("/image needs a file");
        using Interrupts.AnswerScope scope = services.Interrupts.BeginAnswer();
        waitingPictures.Add(await reader.ReadAsync(name, scope.Token).ConfigureAwait(false));
    }

    private void Save(string path)
    {
        if (path.Length == 0)
            throw new UsageException("/save needs a file, ending in .md or .json");
        if (client.History.Count == 0)
            throw new UsageException("there is nothing to save yet");
        ConversationFile.Write(path, client.Info.Model, request.Session.System, client.History);
        console.Error.WriteLine($"Saved {client.History.Count} turn{(client.History.Count == 1 ? "" : "s")} to {path}.");
    }

    private void Complain(Exception error)
    {
        console.Complain(error is UsageException ? error.Message : Failure.Describe(error));
        if (request.Verbose)
            console.Hint(Failure.Trace(error));
    }
}
