using System.Text;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>Rows of comma-separated values (RFC 4180): quotes around a field, two for one inside; a quote that never closes ends with the text.</summary>
internal static class CsvRows
{
    public static IEnumerable<IReadOnlyList<string>> Read(string text)
    {
        List<string> row = [];
        StringBuilder field = new();
        bool quoted = false;
        for (int index = 0; index < text.Length; index++)
        {
            char next = text[index];
            if (quoted && next == '"' && index + 1 < text.Length && text[index + 1] == '"')
                field.Append(text[index++]);
            else if (next == '"' && (quoted || field.Length == 0))
                quoted = !quoted;
            else if (quoted || next is not (',' or '\n' or '\r'))
                field.Append(next);
            else if (next == ',')
                EndField();
            else if (row.Count > 0 || field.Length > 0)
                yield return EndRow();
        }

        if (row.Count > 0 || field.Length > 0)
            yield return EndRow();

        void EndField()
        {
            row.Add(field.ToString());
            field.Clear();
        }

        IReadOnlyList<string> EndRow()
        {
            EndField();
            List<string> whole = row;
            row = [];
            return whole;
        }
    }
}
