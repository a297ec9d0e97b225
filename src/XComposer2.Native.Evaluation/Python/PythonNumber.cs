using System.Globalization;
using System.Numerics;
using System.Text;

namespace XComposer2.Native.Evaluation.Python;

/// <summary>Python's <c>float(text)</c>, <c>int(text)</c>, <c>repr(float)</c> and <c>round(float, 2)</c>, to the last digit.</summary>
internal static class PythonNumber
{
    /// <summary>Python refuses to read integers of more digits.</summary>
    private const int MaximumIntegerDigits = 4300;

    /// <summary><c>float(text)</c>: blanks around it, digits of any script, underscores between digits, inf and nan; no thousands separator.</summary>
    public static bool TryFloat(string text, out double value)
    {
        value = 0;
        if (Ascii(text) is not { } ascii)
            return false;
        string unsigned = ascii.StartsWith('-') || ascii.StartsWith('+') ? ascii[1..] : ascii;
        double sign = ascii.StartsWith('-') ? -1 : 1;
        if (unsigned.Equals("inf", StringComparison.OrdinalIgnoreCase) || unsigned.Equals("infinity", StringComparison.OrdinalIgnoreCase))
        {
            value = sign * double.PositiveInfinity;
            return true;
        }

        if (unsigned.Equals("nan", StringComparison.OrdinalIgnoreCase))
        {
            value = double.NaN;
            return true;
        }

        if (!IsDecimal(unsigned))
            return false;
        value = sign * double.Parse(unsigned.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture);
        return true;
    }

    /// <summary><c>int(text)</c> in base 10.</summary>
    public static bool TryInteger(string text, out BigInteger value)
    {
        value = 0;
        if (Ascii(text) is not { } ascii)
            return false;
        string unsigned = ascii.StartsWith('-') || ascii.StartsWith('+') ? ascii[1..] : ascii;
        int at = Digits(unsigned, 0);
        if (at == 0 || at != unsigned.Length)
            return false;
        string digits = unsigned.Replace("_", "", StringComparison.Ordinal);
        if (digits.Length > MaximumIntegerDigits)
            return false;
        value = BigInteger.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
        if (ascii.StartsWith('-'))
            value = -value;
        return true;
    }

    /// <summary><c>repr(value)</c>: the shortest text that reads as the same number, with an exponent below 1e-4 and from 1e16 on.</summary>
    public static string Repr(double value)
    {
        if (double.IsNaN(value))
            return "nan";
        if (double.IsInfinity(value))
            return value > 0 ? "inf" : "-inf";
        if (value == 0)
            return double.IsNegative(value) ? "-0.0" : "0.0";
        (string digits, int exponent) = Shortest(Math.Abs(value));
        string sign = value < 0 ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            string mantissa = digits.Length == 1 ? digits : $"{digits[0]}.{digits[1..]}";
            return $"{sign}{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        if (exponent < 0)
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        if (digits.Length <= exponent + 1)
            return $"{sign}{digits.PadRight(exponent + 1, '0')}.0";
        return $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary><c>round(value, 2)</c>: of the exact binary value, ties to the even digit.</summary>
    public static double RoundToHundredths(double value)
    {
        if (!double.IsFinite(value) || Math.Abs(value) >= 1L << 52)
            return value;
        double eighths = value * 8;
        // Only odd eighths lie exactly between two hundredths.
        if (eighths == Math.Floor(eighths) && Math.Abs(eighths) % 2 == 1)
        {
            double below = Math.Floor(value * 100);
            return (below % 2 == 0 ? below : below + 1) / 100;
        }

        return double.Parse(value.ToString("F2", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>Digits of all scripts as ASCII, without the blanks around; null where another character is not ASCII.</summary>
    private static string? Ascii(string text)
    {
        int start = 0, end = text.Length;
        while (start < end && IsBlank(text[start]))
            start++;
        while (end > start && IsBlank(text[end - 1]))
            end--;
        StringBuilder ascii = new(text.Length);
        foreach (Rune rune in text.AsSpan(start, end - start).EnumerateRunes())
        {
            int digit = PythonString.Digit(rune);
            if (digit < 0 && !rune.IsAscii)
                return null;
            ascii.Append(digit < 0 ? (char)rune.Value : (char)('0' + digit));
        }

        return ascii.ToString();
    }

    /// <summary>Blanks around numbers: those of strip() without the ASCII separators U+001C to U+001F.</summary>
    private static bool IsBlank(char value) => PythonString.IsBlank(value) && value is not (>= '\u001C' and <= '\u001F');

    private static bool IsDecimal(string text)
    {
        int whole = Digits(text, 0);
        int at = whole;
        int fraction = 0;
        if (at < text.Length && text[at] == '.')
        {
            int end = Digits(text, at + 1);
            fraction = end - at - 1;
            at = end;
        }

        if (whole + fraction == 0)
            return false;
        if (at < text.Length && text[at] is 'e' or 'E')
        {
            at++;
            if (at < text.Length && text[at] is '+' or '-')
                at++;
            int end = Digits(text, at);
            if (end == at)
                return false;
            at = end;
        }

        return at == text.Length;
    }

    /// <summary>The end of a run of digits with single underscores between them; <paramref name="start"/> where there is none.</summary>
    private static int Digits(string text, int start)
    {
        int at = start;
        while (at < text.Length && (char.IsAsciiDigit(text[at])
            || (text[at] == '_' && at > start && text[at - 1] != '_' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1]))))
            at++;
        return at;
    }

    /// <summary>The fewest digits that read as the number, and the power of ten of the first.</summary>
    private static (string Digits, int Exponent) Shortest(double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture);
        int mark = text.IndexOf('E', StringComparison.Ordinal);
        int power = mark < 0 ? 0 : int.Parse(text.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string mantissa = mark < 0 ? text : text[..mark];
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        int whole = point < 0 ? mantissa.Length : point;
        string all = mantissa.Replace(".", "", StringComparison.Ordinal);
        int zeros = all.Length - all.TrimStart('0').Length;
        return (all.Trim('0'), power + whole - 1 - zeros);
    }
}
