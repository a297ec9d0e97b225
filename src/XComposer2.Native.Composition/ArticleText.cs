using System.Text.RegularExpressions;

namespace XComposer2.Native.Composition;

/// <summary>From a model's text to sections: one a line, empty lines and indentation dropped.</summary>
internal static partial class ArticleText
{
    /// <summary>More are dropped.</summary>
    public const int MaximumSections = 60;

    /// <param name="text">Of the model.</param>
    /// <param name="dropped">Sections over the limit.</param>
    public static IReadOnlyList<ArticleSection> Split(string text, out int dropped)
    {
        string[] lines = LineEnds().Replace(text.ReplaceLineEndings("\n").Trim(), "\n").Split('\n');
        if (lines is [""])
            lines = [];
        dropped = Math.Max(0, lines.Length - MaximumSections);
        return [.. lines.Take(MaximumSections).Select(line => new ArticleSection(line))];
    }

    /// <summary>An edited section is one line.</summary>
    public static string Join(string text) => text.Trim().ReplaceLineEndings(" ");

    [GeneratedRegex(@"(\n\s*)+")]
    private static partial Regex LineEnds();
}
