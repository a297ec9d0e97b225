namespace XComposer2.Native.Cli;

/// <summary>The chat at a terminal: a text is a message, or a command when it begins with a slash.</summary>
internal sealed class Conversation(CliServices services, IChatClient client, ChatRequest request, PictureReader reader, IEnumerable<PictureInput> pictures)
{
    private readonly CliConsole console = services.Console;
    private readonly AnswerPrinter printer = new(services.Console);
    private readonly ChatSettings settings = new(request.Generation, request.Verbose);
    private readonly List<PictureInput> waitingPictures = [.. pictures];

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync()
    {
        console.Note($"{client.Info.Model}; {client.Info.Device}. /help lists the commands.");
        ChatCommands commands = new(services, client, request, reader, settings, waitingPictures);
        OpenEditor();
        // Also between an answer and the next prompt, Ctrl-C does not leave at once.
        using Interrupts.PromptScope scope = services.Interrupts.BeginPrompt(Warn);
        while (true)
        {
            string? text = await ReadAsync().ConfigureAwait(false);
            if (text is null or "/exit" or "/quit" or "/bye")
                return ExitCode.Done;
            if (string.IsNullOrWhiteSpace(text) && waitingPictures.Count == 0)
                continue;
            if (!MessageSyntax.IsCommand(text))
                await SendAsync(text).ConfigureAwait(false);
            else if (text is "/regenerate")
                await RegenerateAsync().ConfigureAwait(false);
            else
                await ObeyAsync(commands, text).ConfigureAwait(false);
        }
    }

    private void OpenEditor()
    {
        if (console.Editor is not { } editor)
            return;
        editor.Completer = new ChatCompleter();
        editor.History = InputHistory.Open(request.KeepsHistory ? InputHistory.DefaultPath(services.Variable) : null);
        if (editor.History.Problem is { } problem)
            console.Note($"The history is not kept: {problem}");
    }

    /// <returns>Null to leave.</returns>
    private async Task<string?> ReadAsync()
    {
        string waiting = waitingPictures.Count switch { 0 => "", 1 => "(1 picture) ", int count => $"({count} pictures) " };
        CancellationToken ended = services.Interrupts.Program;
        services.Interrupts.BeginPrompt(Warn);
        try
        {
            while (true)
            {
                TypedLine typed = await console.ReadLineAsync($"{waiting}> ", ended).ConfigureAwait(false);
                switch (typed.End)
                {
                    case LineEnd.Entered:
                        string text = MessageSyntax.Unfence(typed.Text).TrimEnd('\n');
                        return MessageSyntax.IsCommand(text) ? text.TrimEnd() : text;
                    case LineEnd.EndOfInput:
                        if (console.Editor is null)
                            console.Error.WriteLine();
                        return null;
                    default:
                        // Discarding a text is not a step towards leaving.
                        if (typed.Text.Length > 0)
                            services.Interrupts.BeginPrompt(Warn);
                        services.Interrupts.Interrupt();
                        ended.ThrowIfCancellationRequested();
                        break;
                }
            }
        }
        catch (OperationCanceledException) when (console.Editor is null)
        {
            console.Error.WriteLine();
            throw;
        }
    }

    private void Warn() => console.Hint("(Ctrl-C again, or Ctrl-D, leaves)");

    private async Task SendAsync(string text)
    {
        try
        {
            PromptText.Check(text, waitingPictures.Count);
            UserMessage message = new(text, [.. waitingPictures.Select(request.ImageOf)]);
            if (await AnswerAsync(cancellation => client.SendAsync(message, settings.Generation, cancellation)).ConfigureAwait(false))
                waitingPictures.Clear();
        }
        catch (Exception error) when (error is not (ClosedPipeException or OperationCanceledException))
        {
            Complain(error);
            DropPictures(error);
        }
    }

    /// <summary>With a new seed: the same one would give the same answer.</summary>
    private async Task RegenerateAsync()
    {
        try
        {
            if (client.History.Count == 0)
                throw new UsageException("there is no answer yet");
            if (settings.Generation.Greedy)
                console.Note("(greedy: equal settings give an equal answer; /set temperature 1 samples)");
            await AnswerAsync(cancellation => client.RegenerateAsync(settings.Generation with { Seed = null }, cancellation)).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not (ClosedPipeException or OperationCanceledException))
        {
            Complain(error);
        }
    }

    /// <summary>Shows an answer, which Ctrl-C stops.</summary>
    /// <returns>Whether it is part of the conversation.</returns>
    private async Task<bool> AnswerAsync(Func<CancellationToken, IAsyncEnumerable<GenerationEvent>> begin)
    {
        using Interrupts.AnswerScope scope = services.Interrupts.BeginAnswer();
        using CancellationTokenRegistration stop = scope.Token.Register(client.StopAnswer);
        try
        {
            GenerationResult result = await printer.PrintAsync(begin(services.Interrupts.Program), isSilent: false).ConfigureAwait(false);
            printer.PrintRemarks(result, settings.Generation.MaxTokens, settings.IsVerbose, isConversation: true);
            if (result.FinishReason == FinishReason.Stopped)
                console.Error.WriteLine(console.Dim("(stopped; the conversation keeps the answer so far, /regenerate replaces it)"));
            return true;
        }
        catch (OperationCanceledException) when (!services.Interrupts.Program.IsCancellationRequested)
        {
            console.Error.WriteLine(console.Dim("(stopped; the conversation is as it was before)"));
            return false;
        }
    }

    private void DropPictures(Exception error)
    {
        if (error is not Model.ImageException || waitingPictures.Count == 0)
            return;
        waitingPictures.Clear();
        console.Error.WriteLine("No picture is waiting any more.");
    }

    private async Task ObeyAsync(ChatCommands commands, string line)
    {
        try
        {
            await commands.RunAsync(line).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not ClosedPipeException)
        {
            Complain(error);
        }
    }

    private void Complain(Exception error)
    {
        console.Complain(error switch
        {
            UsageException => error.Message,
            ContextFullException full => $"{full.Message}; /reset forgets the conversation, and xc2 chat --context N starts one with more room",
            _ => Failure.Describe(error),
        });
        if (settings.IsVerbose)
            console.Hint(Failure.Trace(error));
    }
}
