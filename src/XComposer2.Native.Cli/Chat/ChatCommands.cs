using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>A command of a conversation.</summary>
/// <param name="Names">The first one is the usual one.</param>
/// <param name="Argument">What follows the name; empty for nothing.</param>
/// <param name="Help">Lines of the list.</param>
internal sealed record ChatCommandInfo(string[] Names, string Argument, params string[] Help)
{
    public bool TakesArgument => Argument.Length > 0;
}

/// <summary>Carries out the commands of a conversation.</summary>
internal sealed class ChatCommands(CliServices services, IChatClient client, ChatRequest request, PictureReader reader, ChatSettings settings, List<PictureInput> waiting)
{
    private const string Keys = """
          A message of several lines: paste it, end each line with \, press Alt-Enter
          for a new line, or write it between a pair of three quotation marks.
          Tab completes commands and paths, Ctrl-R searches earlier messages, Ctrl-L
          clears the screen, Ctrl-C stops an answer, Ctrl-D leaves.
        """;

    private static readonly string[] SampledBy = ["temperature", "top-p", "top-k", "seed"];

    private readonly CliConsole console = services.Console;

    public static IReadOnlyList<ChatCommandInfo> All { get; } =
    [
        new(["/image"], "FILE", "adds a picture (or its https:// address) to the next", "message; <ImageHere> says where"),
        new(["/images"], "[remove N|all]", "lists the pictures, or removes waiting ones"),
        new(["/regenerate"], "", "answers the last question again"),
        new(["/system"], "[TEXT]", "shows or changes what the model is told beforehand;", "default is the prompt style's own text, none is none"),
        new(["/set"], "[NAME VALUE]", "shows or changes sampling and other settings"),
        new(["/info"], "", "the model, its device, and how full the context is"),
        new(["/reset"], "", "forgets the conversation"),
        new(["/save"], "FILE", "writes it, as Markdown (.md) or JSON (.json)"),
        new(["/load"], "FILE", "continues a conversation that was saved as JSON"),
        new(["/help"], "", "this list"),
        new(["/exit", "/quit", "/bye"], "", "leaves"),
    ];

    /// <summary>The list of commands and keys.</summary>
    public static string HelpText =>
        string.Concat(All.SelectMany(static command => command.Help.Select((line, index) => $"  {(index == 0 ? $"{string.Join(", ", command.Names)} {command.Argument}" : ""),-24}{line}\n"))) + "\n" + Keys;

    /// <param name="line">A command with its argument; leaving and answering are the caller's.</param>
    /// <exception cref="UsageException">There is no such command, or its argument is wrong.</exception>
    public async Task RunAsync(string line)
    {
        string[] words = line.Split((char[]?)null, 2, StringSplitOptions.TrimEntries);
        string argument = words.Length > 1 ? words[1] : "";
        switch (words[0])
        {
            case "/help": console.Error.WriteLine(HelpText); break;
            case "/image": await AddPictureAsync(PictureFile.Unquote(argument)).ConfigureAwait(false); break;
            case "/images": Pictures(argument); break;
            case "/info": Info(); break;
            case "/load": await LoadAsync(PictureFile.Unquote(argument)).ConfigureAwait(false); break;
            case "/reset": Reset(); break;
            case "/save": Save(PictureFile.Unquote(argument)); break;
            case "/set": Set(argument); break;
            case "/system": System(argument); break;
            default: throw new UsageException($"there is no command {words[0]}{DidYouMean.Hint(words[0], All.SelectMany(static command => command.Names))}; /help lists them");
        }
    }

    private async Task AddPictureAsync(string name)
    {
        if (name.Length == 0)
            throw new UsageException("/image needs a file");
        using Interrupts.AnswerScope scope = services.Interrupts.BeginAnswer();
        waiting.Add(await reader.ReadAsync(name, scope.Token).ConfigureAwait(false));
    }

    private void Pictures(string argument)
    {
        string[] words = argument.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (words)
        {
            case []:
                for (int index = 0; index < waiting.Count; index++)
                    console.Hint($"  {index + 1}  {waiting[index].Name} ({InspectionText.Size(waiting[index].Bytes.Length)}), goes with the next message");
                for (int turn = 0; turn < client.History.Count; turn++)
                    foreach (ImageInput image in client.History[turn].Question.Images)
                        console.Hint($"     {image.Name}, sent with message {turn + 1}");
                if (waiting.Count == 0 && client.History.All(static turn => turn.Question.Images.Count == 0))
                    console.Hint("There are no pictures; /image FILE adds one.");
                break;
            case ["remove", "all"]:
                waiting.Clear();
                console.Hint("No picture is waiting any more.");
                break;
            case ["remove", string number] when int.TryParse(number, out int place) && place >= 1 && place <= waiting.Count:
                console.Hint($"Removed {waiting[place - 1].Name}.");
                waiting.RemoveAt(place - 1);
                break;
            case ["remove", ..]:
                throw new UsageException(waiting.Count == 0 ? "no picture is waiting" : $"/images remove needs a number, 1 to {waiting.Count}, or all");
            default:
                throw new UsageException("/images lists the pictures; /images remove N or all removes waiting ones");
        }
    }

    private void Info()
    {
        EngineInfo info = client.Info;
        TokenUsage? usage = client.History.Count > 0 ? client.History[^1].Answer.Usage : null;
        int used = usage is null ? 0 : usage.PromptTokens + usage.CompletionTokens;
        int sent = client.History.Sum(static turn => turn.Question.Images.Count);
        console.Hint($"""
              Model     {info.Model}
              Device    {info.Device}
              Context   {(usage is not null && used == 0 ? "" : $"{used} of ")}{info.ContextLength} tokens, {Count(client.History.Count, "turn")}
              Pictures  {sent} sent, {waiting.Count} waiting; {info.TokensPerImage} tokens each
              System    {(client.System switch { null => "the prompt style's own text", "" => "none", var text => text })}
              Sampling  {(settings.Generation.Greedy ? "greedy" : string.Join(", ", SampledBy.Select(name => $"{name} {settings.ValueOf(name)}")))}
              History   {console.Editor?.History.Path ?? "not kept"}
            """);
    }

    private void System(string text)
    {
        if (text.Length == 0)
        {
            console.Hint(client.System switch { null => "The system text is the prompt style's own.", "" => "There is no system text.", var current => current });
            return;
        }

        client.System = text switch { "default" => null, "none" => "", _ => text };
        console.Hint("The system text applies from the next message on.");
    }

    private void Set(string argument)
    {
        string[] words = argument.Split((char[]?)null, 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        switch (words)
        {
            case []:
                foreach (string name in ChatSettings.Names)
                    console.Hint($"  {name,-20}{settings.ValueOf(name)}");
                break;
            case ["history", "off"]:
                console.Editor?.History.Detach();
                console.Hint("Messages are not kept for later runs any more.");
                break;
            case [string name]:
                console.Hint($"  {name,-20}{settings.ValueOf(name)}");
                break;
            case [string name, string value]:
                settings.Set(name, value);
                break;
        }
    }

    private void Reset()
    {
        client.Reset();
        waiting.Clear();
        console.Hint("The conversation is forgotten.");
    }

    private void Save(string path)
    {
        if (path.Length == 0)
            throw new UsageException("/save needs a file, ending in .md or .json");
        if (client.History.Count == 0)
            throw new UsageException("there is nothing to save yet");
        ConversationFile.Write(path, client.Info.Model, client.System, client.History);
        console.Hint($"Saved {Count(client.History.Count, "turn")} to {path}.");
    }

    /// <summary>The conversation stays as it was if anything cannot be read.</summary>
    private async Task LoadAsync(string path)
    {
        if (path.Length == 0)
            throw new UsageException("/load needs a file that /save has written, ending in .json");
        ConversationJson file = ConversationFile.Read(path);
        using Interrupts.AnswerScope scope = services.Interrupts.BeginAnswer();
        List<ChatExchange> exchanges = [];
        foreach (TurnJson turn in file.Turns)
        {
            List<ImageInput> images = [];
            foreach (string image in turn.Images ?? [])
                images.Add(request.ImageOf(await ReadSavedAsync(image, path, scope.Token).ConfigureAwait(false)));
            exchanges.Add(turn.ToExchange(images));
        }

        await client.RestoreAsync(exchanges, scope.Token).ConfigureAwait(false);
        client.System = file.System;
        console.Hint($"Loaded {Count(exchanges.Count, "turn")} from {path}{(file.Model == client.Info.Model ? "" : $"; {file.Model} gave the answers")}.");
    }

    /// <summary>A relative name is searched in the current folder, then beside the conversation.</summary>
    private async Task<PictureInput> ReadSavedAsync(string image, string path, CancellationToken cancellationToken)
    {
        string beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, image);
        if (image is "-" or "standard input")
            throw new ImageException($"{path}: a picture came from standard input, which is not saved");
        // The file may come from someone else, who must not choose what is connected to.
        if (image.Contains("://", StringComparison.Ordinal))
            throw new ImageException($"{path}: {image}: addresses in a file are not connected to; download the picture and name its file");
        return await reader.ReadAsync(File.Exists(image) || !File.Exists(beside) ? image : beside, cancellationToken).ConfigureAwait(false);
    }

    private static string Count(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";
}
