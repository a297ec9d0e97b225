using System.Text;

namespace XComposer2.Native.Composition;

/// <summary>Plain text as HTML that means just that text, between tags and in quoted attributes alike.</summary>
internal static class HtmlText
{
    public static string Escape(string text)
    {
        StringBuilder escaped = new(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes())
            _ = rune.Value switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                _ => escaped.Append(rune),
            };
        return escaped.ToString();
    }

    /// <summary>Text with its emphases.</summary>
    public static string Of(IReadOnlyList<TextSpan> spans) => string.Concat(spans.Select(span => span.Emphasis switch
    {
        TextEmphasis.Strong => $"<strong>{Escape(span.Text)}</strong>",
        TextEmphasis.Light => $"<em>{Escape(span.Text)}</em>",
        _ => Escape(span.Text),
    }));
}
