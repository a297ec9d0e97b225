using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace XComposer2.Native.Cli;

/// <summary>What is wrong with a command line, in one sentence.</summary>
internal static class ParseErrorText
{
    /// <returns>Null where nothing is.</returns>
    public static string? Of(ParseResult result)
    {
        if (result.Action is not (ParseErrorAction or null) && result.Errors.Count == 0)
            return StrayOption(result) is { } stray ? NoOption(stray) : null;
        if (result.Action is not (ParseErrorAction or null))
            return null;
        if (result.UnmatchedTokens.Count > 0)
            return Unmatched(result, StrayOption(result) ?? result.UnmatchedTokens[0]);
        if (result.CommandResult.Command is { Subcommands.Count: > 0 } parent)
            return $"a command is missing: {string.Join(", ", parent.Subcommands.Select(command => command.Name))}";
        return Misused(result.Errors[0]);
    }

    private static string Misused(ParseError error) => error.SymbolResult switch
    {
        OptionResult { Tokens.Count: 0 } option => $"{option.Option.Name} needs a value",
        OptionResult { Tokens.Count: > 1 } option when option.Option.Arity.MaximumNumberOfValues == 1 => $"{option.Option.Name} may be given once",
        ArgumentResult { Tokens.Count: 0 } argument => $"{argument.Argument.Name} is missing",
        _ => error.Message.TrimEnd('.'),
    };

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
        _ when LooksLikeOption(token) => NoOption(token),
        { Subcommands: [Command first, ..] all } => $"there is no command '{token}', only {string.Join(", ", all.Select(command => command.Name))}",
        _ => $"'{token}' is one argument too many; text of several words has to be quoted",
    };

    private static string NoOption(string token) => $"there is no option '{token}'";
}
