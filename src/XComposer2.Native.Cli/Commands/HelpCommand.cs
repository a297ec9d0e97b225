using System.CommandLine;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 help</c>: the same pages as <c>--help</c>.</summary>
internal static class HelpCommand
{
    public const string HelpPage = """
        Usage: xc2 help [COMMAND]

        The page of a command, for example xc2 help chat, or the list of commands.
        """;

    public static Command Create(CliServices services, RootCommand root)
    {
        Argument<string[]> names = new("COMMAND") { Arity = ArgumentArity.ZeroOrMore };
        names.CompletionSources.Add(_ => root.Subcommands.Select(command => new System.CommandLine.Completions.CompletionItem(command.Name)));
        DocumentedCommand help = new("help", HelpPage) { names };
        help.SetAction(result =>
        {
            Command command = root;
            foreach (string name in result.GetValue(names) ?? [])
                command = command.Subcommands.FirstOrDefault(known => known.Name == name) ?? throw new UsageException(ParseErrorText.NoCommand(command, name));
            services.Console.Out.WriteLine(command is DocumentedCommand documented ? documented.HelpPage : CliApplication.HelpPage);
            return ExitCode.Done;
        });
        return help;
    }
}
