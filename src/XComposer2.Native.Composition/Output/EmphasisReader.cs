using System.Text;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition.Output;

/// <summary>Finds <c>**strong**</c> and <c>*light*</c> emphasis in a line of a model's text. All other markup is kept as plain characters.</summary>
internal static class EmphasisReader
{
    private const string StrongMark = "**";

    /// <param name="line">A cleaned single line.</param>
    public static List<TextSpan> Read(string line)
    {
        List<TextSpan> spans = [];
        StringBuilder plain = new();
        for (int index = 0; index < line.Length;)
        {
            if (line[index] == '*' && TryRead(line, index, out TextSpan span, out int end))
            {
                EndPlain(plain, spans);
                spans.Add(span);
                index = end;
            }
            else
            {
                // Emit both marks of an unclosed pair, so that the second does not open another emphasis.
                int length = line.AsSpan(index).StartsWith(StrongMark, StringComparison.Ordinal) ? StrongMark.Length : 1;
                plain.Append(line, index, length);
                index += length;
            }
        }

        EndPlain(plain, spans);
        return spans;
    }

    /// <summary>The line without emphasis marks.</summary>
    public static string Plain(string line) => string.Concat(Read(line).Select(span => span.Text));

    private static bool TryRead(string line, int start, out TextSpan span, out int end)
    {
        bool isStrong = line.AsSpan(start).StartsWith(StrongMark, StringComparison.Ordinal);
        int content = start + (isStrong ? StrongMark.Length : 1);
        end = line.IndexOf(isStrong ? StrongMark : "*", content, StringComparison.Ordinal);
        span = default;
        if (end <= content || char.IsWhiteSpace(line[content]) || char.IsWhiteSpace(line[end - 1]))
            return false;
        string text = line[content..end];
        end += isStrong ? StrongMark.Length : 1;
        if (!isStrong && (IsInsideWord(line, start - 1) || IsInsideWord(line, end) || (end < line.Length && line[end] == '*')))
            return false;
        // Three marks mean both emphases; strong is shown.
        if (isStrong && text.Length > 1 && text[0] == '*' && end < line.Length && line[end] == '*')
            (text, end) = (text[1..], end + 1);
        span = new TextSpan(text, isStrong ? TextEmphasis.Strong : TextEmphasis.Light);
        return true;
    }

    // 2*3*4 is a product. Chinese words have no spaces around them, but this notation is not used there.
    private static bool IsInsideWord(string line, int index) =>
        index >= 0 && index < line.Length && char.IsLetterOrDigit(line[index]) && !(Rune.TryCreate(line[index], out Rune rune) && TextTerms.IsCjk(rune));

    private static void EndPlain(StringBuilder plain, List<TextSpan> spans)
    {
        if (plain.Length > 0)
            spans.Add(new TextSpan(plain.ToString(), TextEmphasis.None));
        plain.Clear();
    }
}

/// <summary>A run of text with one emphasis.</summary>
/// <param name="Text">Plain text without markup. Not empty.</param>
/// <param name="Emphasis">Its emphasis.</param>
internal readonly record struct TextSpan(string Text, TextEmphasis Emphasis);

/// <summary>Kinds of emphasis.</summary>
internal enum TextEmphasis
{
    None,
    Light,
    Strong,
}
