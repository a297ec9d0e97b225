namespace XComposer2.Native.Cli;

/// <summary>
/// Messages of more than one line: between a pair of <c>"""</c>, or with a backslash at the end of each line but the last one. Commands are single lines, except
/// that an argument may be such a block.
/// </summary>
internal static class MessageSyntax
{
    private const string Fence = "\"\"\"";

    /// <summary>Whether a line end belongs to the message.</summary>
    /// <param name="text">The lines so far, without the last line end.</param>
    public static bool Continues(string text) => IsOpen(text) || EndsInBackslash(text);

    /// <summary>Whether the text is a command.</summary>
    public static bool IsCommand(string text) => text.StartsWith('/');

    /// <summary>Removes a backslash that continued the line.</summary>
    public static string WithoutContinuation(string text) => !IsOpen(text) && EndsInBackslash(text) ? text[..^1] : text;

    /// <summary>The message without its fences.</summary>
    public static string Unfence(string text)
    {
        int start = text.IndexOf(Fence, StringComparison.Ordinal);
        // Only at the beginning of a message, or of a command's argument.
        if (start < 0 || !StartsBlock(text, start))
            return text;
        string content = text[(start + Fence.Length)..];
        string trimmed = content.TrimEnd();
        if (trimmed.EndsWith(Fence, StringComparison.Ordinal))
            content = trimmed[..^Fence.Length];
        if (content.StartsWith('\n'))
            content = content[1..];
        return text[..start] + (content.EndsWith('\n') ? content[..^1] : content);
    }

    private static bool IsOpen(string text)
    {
        int start = text.IndexOf(Fence, StringComparison.Ordinal);
        return start >= 0 && StartsBlock(text, start) && !text[(start + Fence.Length)..].TrimEnd().EndsWith(Fence, StringComparison.Ordinal);
    }

    private static bool StartsBlock(string text, int start)
    {
        ReadOnlySpan<char> before = text.AsSpan(0, start);
        return before.IsWhiteSpace() || (before[0] == '/' && before[^1] == ' ' && before[..^1].IndexOfAny(' ', '\n') < 0);
    }

    // Commands take paths, which may end in a backslash.
    private static bool EndsInBackslash(string text) => !IsCommand(text) && (text.Length - text.AsSpan().TrimEnd('\\').Length) % 2 == 1;
}
