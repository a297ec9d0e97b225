using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace XComposer2.Native.Cli;

/// <summary>What is wrong with a command line, in one sentence.</summary>
internal static class ParseErrorText
{
    private static readonly string[] namesOfThings =
        ["--model", "--adapter", "--out", "--article", "--gallery", "--image", "--outline", "--material", "--golden", "--picture-service", "--allow-host", "--json", "DIR"];

    private static readonly string[] namesOfTexts = ["PROMPT", "--system", "--stop", "--instruction", "--title", "--caption"];

    /// <returns>Null where nothing is.</returns>
    public static string? Of(ParseResult result)
    {
        if (result.Action is SuggestAction)
            return null;
        if (result.Action is not (ParseErrorAction or null) && result.Errors.Count == 0)
            return StrayOption(result) is { } stray ? NoOption(result, stray) : WrongText(result);
        if (result.Action is not (ParseErrorAction or null))
            return null;
        if (result.UnmatchedTokens.Count > 0)
            return Unmatched(result, StrayOption(result) ?? result.UnmatchedTokens[0]);
        if (result.CommandResult.Command is { Subcommands.Count: > 0 } parent)
            return $"a command is missing: {string.Join(", ", parent.Subcommands.Select(command => command.Name))}";
        return Misused(result.Errors[0]);
    }

    /// <summary>A name that is none of a command's subcommands.</summary>
    public static string NoCommand(Command parent, string name)
    {
        string[] known = [.. parent.Subcommands.Select(static command => command.Name)];
        string hint = DidYouMean.Hint(name, known);
        return $"there is no command '{name}'{(hint.Length > 0 ? hint : $", only {string.Join(", ", known)}")}";
    }

    private static string Misused(ParseError error) => error.SymbolResult switch
    {
        OptionResult { Tokens.Count: 0 } option => $"{option.Option.Name} needs a value",
        OptionResult { Tokens.Count: > 1 } option when option.Option.Arity.MaximumNumberOfValues == 1 => $"{option.Option.Name} may be given once",
        ArgumentResult { Tokens.Count: 0 } argument => $"{argument.Argument.Name} is missing",
        _ => error.Message.TrimEnd('.'),
    };

    /// <summary>An empty name of a file, folder or host, for example from an unset script variable; or a text for the model that is not UTF-8.</summary>
    private static string? WrongText(ParseResult result)
    {
        foreach (SymbolResult child in result.CommandResult.Children)
        {
            (string name, IReadOnlyList<Token> tokens) = child switch
            {
                OptionResult option => (option.Option.Name, option.Tokens),
                ArgumentResult argument => (argument.Argument.Name, argument.Tokens),
                _ => ("", []),
            };
            if (namesOfThings.Contains(name) && tokens.Any(token => string.IsNullOrWhiteSpace(token.Value)))
                return $"{name} is empty";
            if (namesOfTexts.Contains(name) && tokens.Any(token => PromptText.IsDamaged(token.Value)))
                return $"{name} is not UTF-8";
        }
        return null;
    }

    /// <summary>A mistyped option that the parser took for an argument.</summary>
    private static string? StrayOption(ParseResult result)
    {
        foreach (Token token in result.Tokens)
        {
            if (token.Type == TokenType.DoubleDash)
                return null;
            if (token.Type == TokenType.Argument && LooksLikeOption(token.Value) && result.CommandResult.Children.Any(child => child is ArgumentResult && child.Tokens.Any(taken => ReferenceEquals(taken, token))))
                return token.Value;
        }
        return null;
    }

    private static bool LooksLikeOption(string text) =>
        text.Length > 1 && text[0] == '-' && (text[1] == '-' || char.IsAsciiLetter(text[1])) && !text.Any(char.IsWhiteSpace);

    private static string Unmatched(ParseResult result, string token) => result.CommandResult.Command switch
    {
        _ when LooksLikeOption(token) => NoOption(result, token),
        { Subcommands.Count: > 0 } parent => NoCommand(parent, token),
        { Options: var options } when File.Exists(token) && options.Any(static option => option.Name == "--image") => $"'{token}' is one argument too many; --image is repeated for each picture",
        _ => $"'{token}' is one argument too many; text of several words has to be quoted",
    };

    private static string NoOption(ParseResult result, string token)
    {
        IEnumerable<string> known = result.CommandResult.Command.Options.Concat(result.RootCommandResult.Command.Options.Where(static option => option.Recursive)).Select(static option => option.Name);
        string name = token.Split('=', 2)[0];
        return $"there is no option '{token}'{DidYouMean.Hint(name, known)}";
    }
}
