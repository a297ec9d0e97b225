using XComposer2.Native.Evaluation.Python;

namespace XComposer2.Native.Evaluation.Scoring;

/// <summary>What both sources do with a generated text before they score it.</summary>
internal static class ModelText
{
    /// <summary>The mark of the end of a turn, at which the text is cut.</summary>
    public const string EndMark = "[UNUSED_TOKEN_145]";

    /// <summary>The text before the first end mark.</summary>
    public static string Cut(string text)
    {
        int mark = text.IndexOf(EndMark, StringComparison.Ordinal);
        return mark < 0 ? text : text[..mark];
    }

    /// <summary>The text before the first end mark, without blanks around it.</summary>
    public static string CutAndStrip(string text) => PythonString.Strip(Cut(text));

    /// <summary>The first letter between A and <paramref name="last"/>, or <paramref name="otherwise"/>.</summary>
    public static string FirstLetter(string text, char last, string otherwise)
    {
        foreach (char c in text)
            if (c >= 'A' && c <= last)
                return c.ToString();
        return otherwise;
    }
}
