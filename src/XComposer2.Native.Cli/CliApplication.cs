using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Reflection;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2</c>: parses, runs one command, and turns every failure into one line and an exit code.</summary>
internal static class CliApplication
{
    private static readonly string[] commandNames = ["chat", "compose", "edit", "batch", "serve", "eval", "compare", "inspect", "verify", "merge", "quantize", "train", "plan", "bench", "kernels", "completion"];

    /// <summary>The version of Directory.Build.props, without the commit.</summary>
    public static string Version => typeof(CliApplication).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public const string HelpPage = """
        Usage: xc2 COMMAND [options]

        InternLM-XComposer2 on this machine: answers about text and pictures.

        Commands
          chat       ask about pictures and text, once or as a conversation
          compose    write an article with pictures
          edit       change an article: its sections and its figures
          batch      answer about many pictures: captions, tables, shards
          serve      answer requests over HTTP, with OpenAI's API
          eval       benchmarks of the paper: answers, scores, tables
          compare    two files of answers to a benchmark
          inspect    what is in a checkpoint folder, and what is wrong with it
          verify     compare every stage of a model with what the original computed
          merge      merge LoRA adapters into a checkpoint
          quantize   write a checkpoint with weights of integers
          train      fine-tune a model, or an adapter for it, on conversations
          plan       memory use of a model
          bench      how fast prompts and answers are, with or without weights
          kernels    the GPU's kernels: which, compiled ahead of time, inspected
          completion a script that completes command lines in a shell
          help       the page of a command: xc2 help chat

        Options
          -v, --verbose  timings, and stack traces of errors, on standard error
          --version      the version
          -h, --help     this page; after a command, the page of that command

        Examples
          xc2 chat --image cat.png "What is in this picture?"
          xc2 chat --model ./internlm-xcomposer2-vl-7b
          xc2 compose --instruction "Write about tea." --gallery ~/Pictures
          xc2 inspect ./internlm-xcomposer2-vl-7b --check

        Exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
        """;

    /// <summary>How command lines are parsed.</summary>
    public static ParserConfiguration Parser { get; } = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    /// <returns>The exit code; never throws.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, CliServices services)
    {
        bool verbose = false;
        string page = HelpPage;
        try
        {
            if (args.Count == 0)
            {
                services.Console.Error.WriteLine(HelpPage);
                return ExitCode.Usage;
            }
            Option<bool> verboseOption = CheckedOption.Flag("--verbose", "-v");
            verboseOption.Recursive = true;
            ParseResult result = CreateRoot(services, verboseOption, args[0]).Parse(args, Parser);
            page = PageOf(result);
            if (ParseErrorText.Of(result) is { } problem)
                throw new UsageException(problem);
            verbose = result.GetValue(verboseOption);
            InvocationConfiguration invocation = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            // In a separate task: a command that does not observe its token (opening a checkpoint, a long model step) is abandoned.
            Task<int> command = Task.Run(() => result.InvokeAsync(invocation, services.Interrupts.Program), CancellationToken.None);
            if (await Task.WhenAny(command, services.Interrupts.WaitUntilOverdueAsync()).ConfigureAwait(false) != command)
                return services.Interrupts.ExitCode;
            int exitCode = await command.ConfigureAwait(false);
            services.Console.Out.Flush();
            return exitCode;
        }
        catch (UsageException error)
        {
            services.Console.Complain(error.Message);
            services.Console.Hint(UsageOf(page));
            return ExitCode.Usage;
        }
        catch (Exception error)
        {
            return Failure.Report(error, services, verbose);
        }
    }

    /// <summary>The first line of a help page.</summary>
    public static string UsageOf(string page) => page[..page.IndexOf('\n', StringComparison.Ordinal)].TrimEnd();

    /// <summary>All commands, or the one that a command line begins with.</summary>
    /// <param name="services">What they work with.</param>
    /// <param name="verbose">A global option.</param>
    /// <param name="first">The first word of the command line; null for all commands.</param>
    public static RootCommand CreateRoot(CliServices services, Option<bool> verbose, string? first = null)
    {
        RootCommand root = new() { verbose };
        root.Directives.Clear();
        SuggestDirective suggest = new();
        suggest.Action = new SuggestAction(services.Console, root, suggest);
        root.Add(suggest);
        foreach (Option option in root.Options)
        {
            if (option is HelpOption)
                option.Action = new PrintAction(services.Console, PageOf);
            else if (option is VersionOption)
                option.Action = new PrintAction(services.Console, static _ => $"xc2 {Version}");
        }
        // One command's options alone where the command line begins with its name: the others' are a tenth of the time to the first token.
        if (first is not null && Create(first, services, verbose) is { } command)
        {
            root.Add(command);
            return root;
        }

        foreach (string name in commandNames)
            root.Add(Create(name, services, verbose)!);
        root.Add(HelpCommand.Create(services, root));
        return root;
    }

    private static Command? Create(string name, CliServices services, Option<bool> verbose) => name switch
    {
        "chat" => ChatCommand.Create(services, verbose),
        "compose" => ComposeCommand.Create(services, verbose),
        "edit" => EditCommand.Create(services, verbose),
        "batch" => BatchCommand.Create(services, verbose),
        "serve" => ServeCommand.Create(services, verbose),
        "eval" => EvalCommand.Create(services, verbose),
        "compare" => CompareCommand.Create(services),
        "inspect" => InspectCommand.Create(services),
        "verify" => VerifyCommand.Create(services),
        "merge" => MergeCommand.Create(services),
        "quantize" => QuantizeCommand.Create(services),
        "train" => TrainCommand.Create(services),
        "plan" => PlanCommand.Create(services),
        "bench" => BenchCommand.Create(services),
        "kernels" => KernelsCommand.Create(services),
        "completion" => CompletionCommand.Create(services),
        _ => null,
    };

    private static string PageOf(ParseResult result) => result.CommandResult.Command is DocumentedCommand command ? command.HelpPage : HelpPage;

    private sealed class PrintAction(CliConsole console, Func<ParseResult, string> text) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            console.Out.WriteLine(text(parseResult));
            return ExitCode.Done;
        }
    }
}

/// <summary>What commands work with.</summary>
/// <param name="Console">The standard streams.</param>
/// <param name="Interrupts">Ctrl-C.</param>
/// <param name="ConnectChat">Loads a model and opens a conversation.</param>
internal sealed record CliServices(CliConsole Console, Interrupts Interrupts, ChatConnector ConnectChat)
{
    /// <summary>Loads a model and makes a composer of it.</summary>
    public ComposerConnector ConnectComposer { get; init; } = ComposerConnection.ConnectAsync;

    /// <summary>Reads an environment variable; null where it is not set.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;
}

/// <summary>A command with a help page written by hand.</summary>
/// <param name="name">As typed.</param>
/// <param name="helpPage">At most 80 columns; its first line is the usage line.</param>
internal sealed class DocumentedCommand(string name, string helpPage) : Command(name)
{
    public string HelpPage => helpPage;
}
