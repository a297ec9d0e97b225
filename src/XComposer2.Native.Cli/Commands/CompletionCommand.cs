using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Invocation;
using System.Globalization;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 completion</c>: scripts that complete command lines in a shell.</summary>
internal static class CompletionCommand
{
    public const string HelpPage = """
        Usage: xc2 completion bash|zsh|fish|pwsh

        Writes a script that completes commands, options and their values in a shell.
        It asks xc2 itself ([suggest] of System.CommandLine); other words are completed
        as file names.

        Examples
          echo 'source <(xc2 completion bash)' >> ~/.bashrc
          echo 'source <(xc2 completion zsh)' >> ~/.zshrc       # after compinit
          xc2 completion fish > ~/.config/fish/completions/xc2.fish
          xc2 completion pwsh >> $PROFILE
        """;

    private const string Bash = """
        _xc2() {
            local IFS=$'\n'
            COMPREPLY=($("${COMP_WORDS[0]/#\~/$HOME}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null))
        }
        complete -o default -F _xc2 xc2 ./xc2
        """;

    private const string Zsh = """
        _xc2() {
            local line="${(j: :)words[1,CURRENT-1]} $PREFIX"
            local -a found=("${(@f)$("${(e)words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
            if [[ -n "${found[1]}" ]]; then compadd -- "${found[@]}"; else _files; fi
        }
        compdef _xc2 xc2
        """;

    private const string Fish = """
        complete -c xc2 -a '(set -l line (commandline -cp); xc2 "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)'
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName xc2 -ScriptBlock {
            param($word, $line, $position)
            $text = "$line".PadRight($position)
            & xc2 "[suggest:$position]" $text 2>$null | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
        }
        """;

    private static readonly (string Shell, string Script)[] scripts = [("bash", Bash), ("zsh", Zsh), ("fish", Fish), ("pwsh", PowerShell)];

    public static Command Create(CliServices services)
    {
        Argument<string> shell = new("SHELL");
        shell.CompletionSources.Add([.. scripts.Select(script => script.Shell)]);
        DocumentedCommand command = new("completion", HelpPage) { shell };
        command.SetAction(result =>
        {
            string wanted = result.GetRequiredValue(shell);
            string? script = scripts.FirstOrDefault(known => known.Shell == wanted).Script;
            services.Console.Out.WriteLine(script ?? throw new UsageException($"SHELL must be {string.Join(" or ", scripts.Select(known => known.Shell))}, not '{wanted}'"));
            return ExitCode.Done;
        });
        return command;
    }
}

/// <summary>
/// Answers <c>[suggest:POSITION] LINE</c> with the words that may stand at a position of a command line. Options are suggested for a word that begins with a
/// dash; without suggestions, shells complete file names.
/// </summary>
internal sealed class SuggestAction(CliConsole console, RootCommand root, SuggestDirective directive) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        string line = parseResult.UnmatchedTokens.Count > 0 ? parseResult.UnmatchedTokens[^1] : "";
        string? position = parseResult.GetResult(directive)?.Values is [string first, ..] ? first : null;
        int end = int.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out int typed) ? Math.Min(typed, line.Length) : line.Length;
        // The name of the program is not part of what is parsed.
        string before = line[..end].TrimStart();
        int blank = before.IndexOf(' ', StringComparison.Ordinal);
        if (blank < 0)
            return ExitCode.Done;
        string arguments = before[(blank + 1)..];
        string word = arguments[(arguments.LastIndexOf(' ') + 1)..];
        foreach (string label in root.Parse(arguments, CliApplication.Parser).GetCompletions(arguments.Length).Select(item => item.Label).Distinct())
            if (label.StartsWith(word, StringComparison.Ordinal) && (word.StartsWith('-') ? label.StartsWith("--", StringComparison.Ordinal) : char.IsLetterOrDigit(label[0])))
                console.Out.WriteLine(label);
        return ExitCode.Done;
    }
}
