using System.Globalization;
using System.Text;

namespace XComposer2.Native.Evaluation.Python;

/// <summary>
/// What Python's <c>str</c> does and .NET does otherwise: blanks of <c>split</c> and <c>strip</c>, <c>lower</c> with its special cases, lengths in code points.
/// The official scoring scripts depend on each of them.
/// </summary>
internal static class PythonString
{
    private const int CapitalSigma = 0x3A3;
    private const int CapitalIWithDot = 0x130;

    /// <summary>Python's <c>str.isspace</c> of one character. No blank lies outside of the basic plane.</summary>
    public static bool IsBlank(char value) => value switch
    {
        >= '\t' and <= '\r' => true,
        >= '\u001C' and <= ' ' => true,
        '\u0085' or '\u00A0' or '\u1680' or '\u2028' or '\u2029' or '\u202F' or '\u205F' or '\u3000' => true,
        >= '\u2000' and <= '\u200A' => true,
        _ => false,
    };

    /// <summary><c>text.strip()</c>.</summary>
    public static string Strip(string text)
    {
        int start = 0, end = text.Length;
        while (start < end && IsBlank(text[start]))
            start++;
        while (end > start && IsBlank(text[end - 1]))
            end--;
        return text[start..end];
    }

    /// <summary><c>text.split()</c>: the words between blanks.</summary>
    public static List<string> Split(string text)
    {
        List<string> words = [];
        int start = -1;
        for (int i = 0; i <= text.Length; i++)
        {
            bool blank = i == text.Length || IsBlank(text[i]);
            if (!blank && start < 0)
                start = i;
            if (blank && start >= 0)
            {
                words.Add(text[start..i]);
                start = -1;
            }
        }

        return words;
    }

    /// <summary><c>len(text)</c>: code points, not UTF-16 units.</summary>
    public static int Length(string text)
    {
        int count = text.Length;
        for (int i = 1; i < text.Length; i++)
            if (char.IsSurrogatePair(text[i - 1], text[i]))
                count--;
        return count;
    }

    /// <summary><c>text.lower()</c>: İ becomes two characters, Σ at the end of a word becomes ς.</summary>
    public static string Lower(string text)
    {
        StringBuilder lower = new(text.Length);
        for (int i = 0; i < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(i), out Rune rune, out int units) != System.Buffers.OperationStatus.Done)
            {
                lower.Append(text[i++]); // half of a surrogate pair stays as it is
                continue;
            }

            switch (rune.Value)
            {
                case CapitalIWithDot:
                    lower.Append("i\u0307");
                    break;
                case CapitalSigma:
                    lower.Append(IsFinalSigma(text, i) ? 'ς' : 'σ');
                    break;
                default:
                    lower.Append(Rune.ToLowerInvariant(rune).ToString());
                    break;
            }

            i += units;
        }

        return lower.ToString();
    }

    /// <summary>The value of a decimal digit of any script, or -1.</summary>
    public static int Digit(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber ? (int)Rune.GetNumericValue(rune) : -1;

    /// <summary>Python's <c>isalnum</c>, and the underscore: a word character of its regular expressions.</summary>
    public static bool IsWordCharacter(Rune rune) => rune.Value == '_' || Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter
        or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber
        or UnicodeCategory.OtherNumber;

    /// <summary>Unicode's Final_Sigma: a cased letter before, none after, what is case-ignorable skipped.</summary>
    private static bool IsFinalSigma(string text, int at)
    {
        int before = at - 1;
        while (before >= 0 && IsCaseIgnorable(text[before]))
            before--;
        if (before < 0 || !IsCased(text, before))
            return false;
        int after = at + 1;
        while (after < text.Length && IsCaseIgnorable(text[after]))
            after++;
        return after >= text.Length || !IsCased(text, after);
    }

    private static bool IsCased(string text, int at)
    {
        int start = at > 0 && char.IsLowSurrogate(text[at]) ? at - 1 : at;
        return Rune.TryGetRuneAt(text, start, out Rune rune) && (Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            || rune.Value is 0xAA or 0xBA or (>= 0x2160 and <= 0x217F) or (>= 0x24B6 and <= 0x24E9));
    }

    private static bool IsCaseIgnorable(char value) => value is '\'' or '.' or ':' or '\u00B7' or '\u0387' or '\u055F' or '\u05F4' or '\u2018' or '\u2019' or '\u2024' or '\u2027'
        or '\uFE13' or '\uFE52' or '\uFE55' or '\uFF07' or '\uFF0E' or '\uFF1A'
        || CharUnicodeInfo.GetUnicodeCategory(value) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter
            or UnicodeCategory.ModifierSymbol;
}
