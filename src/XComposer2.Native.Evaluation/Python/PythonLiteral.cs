using System.Globalization;
using System.Text;

namespace XComposer2.Native.Evaluation.Python;

/// <summary>
/// Lists as Python writes them: <c>['a', "b", 5, 0.1, True, None]</c>. The official scripts evaluate such a text as a program; here only literals are read,
/// nothing is run.
/// </summary>
internal static class PythonLiteral
{
    /// <summary>The <c>str()</c> of each element, or null where the text is no list of literals.</summary>
    public static List<string>? TryList(string text)
    {
        Reader reader = new(text);
        return reader.TryList(out List<string>? items) && reader.AtEnd() ? items : null;
    }

    /// <summary><c>str(list)</c> of texts.</summary>
    public static string List(IEnumerable<string> items) => $"[{string.Join(", ", items.Select(Quote))}]";

    private static string Quote(string text)
    {
        char mark = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        StringBuilder quoted = new();
        quoted.Append(mark);
        foreach (char c in text)
            quoted.Append(c switch { '\\' => "\\\\", '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", _ when c == mark => $"\\{c}", _ => c.ToString() });
        return quoted.Append(mark).ToString();
    }

    private sealed class Reader(string text)
    {
        private int at;

        public bool AtEnd()
        {
            SkipBlanks();
            return at == text.Length;
        }

        public bool TryList(out List<string>? items)
        {
            items = [];
            SkipBlanks();
            if (!TryTake('['))
                return false;
            while (true)
            {
                SkipBlanks();
                if (TryTake(']'))
                    return true;
                if (!TryElement(out string element))
                    return false;
                items.Add(element);
                SkipBlanks();
                if (TryTake(']'))
                    return true;
                if (!TryTake(','))
                    return false;
            }
        }

        private bool TryElement(out string element)
        {
            element = "";
            if (at < text.Length && text[at] is '\'' or '"')
                return TryString(out element);
            int start = at;
            while (at < text.Length && text[at] is not (',' or ']' or '[' or '(' or '\'' or '"') && !PythonString.IsBlank(text[at]))
                at++;
            string word = text[start..at];
            if (word is "True" or "False" or "None")
            {
                element = word;
                return true;
            }

            // Python's literals are ASCII, and an integer begins with no zero.
            if (word.Length == 0 || word.Any(c => !char.IsAscii(c)) || word.Contains("inf", StringComparison.OrdinalIgnoreCase) || word.Contains("nan", StringComparison.OrdinalIgnoreCase))
                return false;
            if (PythonNumber.TryInteger(word, out System.Numerics.BigInteger integer))
            {
                string digits = word.TrimStart('+', '-');
                if (digits.Length > 1 && digits[0] == '0' && !integer.IsZero)
                    return false;
                element = integer.ToString(CultureInfo.InvariantCulture);
                return true;
            }

            if (!PythonNumber.TryFloat(word, out double number))
                return false;
            element = PythonNumber.Repr(number);
            return true;
        }

        private bool TryString(out string value)
        {
            StringBuilder content = new();
            value = "";
            char mark = text[at++];
            while (at < text.Length && text[at] != mark)
            {
                char c = text[at++];
                if (c == '\n')
                    return false;
                if (c != '\\')
                {
                    content.Append(c);
                    continue;
                }

                if (at == text.Length || !TryEscape(content))
                    return false;
            }

            value = content.ToString();
            return TryTake(mark);
        }

        private bool TryEscape(StringBuilder content)
        {
            char c = text[at++];
            switch (c)
            {
                case '\n': return true;
                case '\\' or '\'' or '"': content.Append(c); return true;
                case 'n': content.Append('\n'); return true;
                case 'r': content.Append('\r'); return true;
                case 't': content.Append('\t'); return true;
                case 'x': return TryHex(2, content);
                case 'u': return TryHex(4, content);
                case 'U': return TryHex(8, content);
                default: content.Append('\\').Append(c); return true;
            }
        }

        private bool TryHex(int digits, StringBuilder content)
        {
            if (at + digits > text.Length || !int.TryParse(text.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) || !Rune.IsValid(value))
                return false;
            content.Append(new Rune(value).ToString());
            at += digits;
            return true;
        }

        private bool TryTake(char expected)
        {
            if (at == text.Length || text[at] != expected)
                return false;
            at++;
            return true;
        }

        private void SkipBlanks()
        {
            while (at < text.Length && PythonString.IsBlank(text[at]))
                at++;
        }
    }
}
