using System.Text;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition;

/// <summary>Finds <c>**strong**</c> and <c>*light*</c> emphasis in a line of a model's text. All other markup stays what it is: characters.</summary>
internal static class EmphasisReader
{
    private const string StrongMark = "**";

    /// <param name="line">Clean, on one line.</param>
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
                // Both marks of a pair that has no end, so that the second is not taken for the beginning of another.
                int length = line.AsSpan(index).StartsWith(StrongMark, StringComparison.Ordinal) ? StrongMark.Length : 1;
                plain.Append(line, index, length);
                index += length;
            }
        }

        EndPlain(plain, spans);
        return spans;
    }

    /// <summary>The line without its marks.</summary>
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
        // Three marks are both emphases at once; the stronger one is shown.
        if (isStrong && text.Length > 1 && text[0] == '*' && end < line.Length && line[end] == '*')
            (text, end) = (text[1..], end + 1);
        span = new TextSpan(text, isStrong ? TextEmphasis.Strong : TextEmphasis.Light);
        return true;
    }

    // 2*3*4 is a product. Chinese has no spaces around its words, and no products of them.
    private static bool IsInsideWord(string line, int index) =>
        index >= 0 && index < line.Length && char.IsLetterOrDigit(line[index]) && !(Rune.TryCreate(line[index], out Rune rune) && TextTerms.IsCjk(rune));

    private static void EndPlain(StringBuilder plain, List<TextSpan> spans)
    {
        if (plain.Length > 0)
            spans.Add(new TextSpan(plain.ToString(), TextEmphasis.None));
        plain.Clear();
    }
}

/// <summary>A run of text in one emphasis.</summary>
/// <param name="Text">Plain: nothing in it is markup. Not empty.</param>
/// <param name="Emphasis">How it stands out.</param>
internal readonly record struct TextSpan(string Text, TextEmphasis Emphasis);

/// <summary>How text stands out.</summary>
internal enum TextEmphasis
{
    None,
    Light,
    Strong,
}
