using System.Text;
using System.Text.RegularExpressions;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition;

/// <summary>Splits a model's text into sections: one per line, without empty lines and indentation.</summary>
internal static partial class ArticleText
{
    /// <summary>Maximum number of sections; further ones are dropped.</summary>
    public const int MaximumSections = 60;

    /// <param name="text">The model's text.</param>
    /// <param name="dropped">Number of sections above the limit.</param>
    public static IReadOnlyList<ArticleSection> Split(string text, out int dropped)
    {
        string[] lines = LineEnds().Replace(text.ReplaceLineEndings("\n").Trim(), "\n").Split('\n');
        if (lines is [""])
            lines = [];
        dropped = Math.Max(0, lines.Length - MaximumSections);
        return [.. lines.Take(MaximumSections).Select(line => new ArticleSection(line))];
    }

    /// <summary>Joins an edited section to one line: a blank for each line end with the blanks around it.</summary>
    public static string Join(string text) => JoinedLines().Replace(text.ReplaceLineEndings("\n").Trim(), " ");

    [GeneratedRegex(@"[^\S\n]*\n\s*")]
    private static partial Regex JoinedLines();

    [GeneratedRegex(@"(\n\s*)+")]
    private static partial Regex LineEnds();
}

/// <summary>
/// Splits a person's Markdown into blocks, each of which becomes a section: paragraphs, whose lines are joined, headings and list items. Blank lines separate
/// blocks; indentation has no meaning.
/// </summary>
internal static partial class MarkdownBlocks
{
    public static List<string> Split(string markdown)
    {
        List<string> blocks = [];
        bool isOpen = false;
        foreach (string raw in markdown.ReplaceLineEndings("\n").Split('\n'))
        {
            string line = raw.Trim();
            if (line.Length == 0)
            {
                isOpen = false;
                continue;
            }

            // A line of = or - under a paragraph makes it a heading.
            if (isOpen && Underline().IsMatch(line) && !Beginning().IsMatch(blocks[^1]))
            {
                blocks[^1] = $"{(line[0] == '=' ? "#" : "##")} {blocks[^1]}";
                isOpen = false;
            }
            else if (isOpen && !Beginning().IsMatch(line))
            {
                blocks[^1] = Append(blocks[^1], line);
            }
            else
            {
                blocks.Add(line);
                isOpen = !line.StartsWith('#');
            }
        }

        return blocks;
    }

    /// <summary>Joins two lines of a paragraph. Chinese and Japanese have no space at a line break.</summary>
    private static string Append(string first, string second) =>
        TextTerms.IsCjk(Rune.GetRuneAt(first, first.Length - (first.Length > 1 && char.IsLowSurrogate(first[^1]) && char.IsHighSurrogate(first[^2]) ? 2 : 1))) || IsCjkMark(first[^1])
            ? first + second
            : $"{first} {second}";

    private static bool IsCjkMark(char mark) => mark is >= '\u3000' and <= '\u303F' or >= '\uFF00' and <= '\uFF65';

    [GeneratedRegex(@"^(#{1,6} |[-*+]\s+\S|[•·]\s*\S|[0-9]{1,3}[.)]\s+\S|[0-9]{1,3}、)")]
    private static partial Regex Beginning();

    [GeneratedRegex("^(=+|-{2,})$")]
    private static partial Regex Underline();
}
