using System.Text;

namespace XComposer2.Native.Batch;

/// <summary>A text with the names of fields in braces: "Describe the {class}." Two braces stand for one.</summary>
internal sealed class PromptTemplate
{
    private readonly List<(string Text, bool IsField)> parts = [];

    private PromptTemplate()
    {
    }

    /// <summary>Whether it is the same text for all rows.</summary>
    public bool IsConstant => !parts.Exists(static part => part.IsField);

    /// <param name="text">As the user wrote it.</param>
    /// <param name="what">Name of the option, for messages.</param>
    /// <exception cref="BatchException">A brace is not closed, or a name is empty.</exception>
    public static PromptTemplate Parse(string text, string what)
    {
        ArgumentNullException.ThrowIfNull(text);
        var template = new PromptTemplate();
        StringBuilder literal = new();
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            bool isDouble = i + 1 < text.Length && text[i + 1] == c;
            if (c is not ('{' or '}'))
            {
                literal.Append(c);
                continue;
            }

            if (isDouble)
            {
                literal.Append(c);
                i++;
                continue;
            }

            int end = c == '{' ? text.IndexOf('}', i) : -1;
            if (end <= i + 1)
                throw new BatchException($"{what}: expected the name of a field in braces at character {i + 1} (two braces stand for one)");
            template.Add(literal);
            template.parts.Add((text[(i + 1)..end], true));
            i = end;
        }

        template.Add(literal);
        return template;
    }

    /// <param name="fields">Of a row.</param>
    /// <param name="place">The row, for messages.</param>
    /// <exception cref="BatchException">The row lacks a field.</exception>
    public string Fill(IReadOnlyDictionary<string, string> fields, string place)
    {
        StringBuilder text = new();
        foreach ((string part, bool isField) in parts)
            text.Append(!isField ? part : fields.TryGetValue(part, out string? value) ? value : throw new BatchException($"{place}: the prompt names {{{part}}}; found {Names(fields)}"));
        return text.ToString();
    }

    private static string Names(IReadOnlyDictionary<string, string> fields) =>
        fields.Count == 0 ? "no fields" : string.Join(", ", fields.Keys.Order(StringComparer.Ordinal).Take(20).Select(static name => $"{{{name}}}"));

    private void Add(StringBuilder literal)
    {
        if (literal.Length == 0)
            return;
        parts.Add((literal.ToString(), false));
        literal.Clear();
    }
}
