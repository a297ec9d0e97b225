using System.Text;

namespace XComposer2.Native.Cli;

/// <summary>Text from files and models, made safe to show: it cannot move the cursor, ring, or recolour the terminal.</summary>
internal static class TerminalText
{
    /// <summary>Control characters become U+FFFD; line ends and tabs stay.</summary>
    public static string Clean(string text) => Replace(text, static c => c is '\n' or '\t');

    /// <summary>As <see cref="Clean"/>, and on one line.</summary>
    public static string OneLine(string text) => Replace(text.ReplaceLineEndings(" "), static c => c == '\t');

    private static string Replace(string text, Func<char, bool> isKept)
    {
        if (!text.Any(c => char.IsControl(c) && !isKept(c)))
            return text;
        StringBuilder clean = new(text.Length);
        foreach (char c in text)
            clean.Append(char.IsControl(c) && !isKept(c) ? '\uFFFD' : c);
        return clean.ToString();
    }
}
