using System.Text;
using System.Text.RegularExpressions;
using XComposer2.Native.Evaluation.Python;

namespace XComposer2.Native.Evaluation.Frames;

/// <summary>How answers reach the official scoring functions: it writes them into a file and reads them with pandas, which changes some of them.</summary>
internal enum AnswerFile
{
    /// <summary>A TSV file, read by pandas 2: texts like <c>None</c> or <c>N/A</c> are missing values, columns of numbers are numbers. This is the official way.</summary>
    Tsv,

    /// <summary>The same with pandas 1, for which <c>None</c> is a text.</summary>
    TsvOfPandas1,

    /// <summary>An Excel file, read by pandas 2: control characters are written as <c>_x000D_</c>, texts end at 32767 characters.</summary>
    Xlsx,

    /// <summary>No file: answers are scored as they are.</summary>
    None,
}

/// <summary>What pandas makes of a column of texts.</summary>
internal static partial class PandasColumn
{
    private const int LongestExcelText = 32767;

    private static readonly string[] missing =
        ["", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null"];

    /// <summary>The <c>str()</c> of each value after the way through a file; null is a missing value.</summary>
    /// <param name="cells">The texts in the order of the rows; null is a missing value already.</param>
    /// <param name="file">The way that they go.</param>
    public static string?[] Load(IReadOnlyList<string?> cells, AnswerFile file)
    {
        if (file == AnswerFile.None)
            return [.. cells];
        string?[] read = [.. cells.Select(cell => cell is null ? null : file == AnswerFile.Xlsx ? InExcel(cell) : cell).Select(cell => IsMissing(cell, file) ? null : cell)];
        string[] present = [.. read.OfType<string>()];
        if (present.Length == 0)
            return read;
        if (present.All(IsInteger))
            return present.Length == read.Length ? [.. read.Select(Integer)] : [.. read.Select(cell => cell is null ? null : PythonNumber.Repr(double.Parse(cell, System.Globalization.CultureInfo.InvariantCulture)))];
        if (present.All(IsFloat))
            return [.. read.Select(Float)];
        return present.All(IsBoolean) ? [.. read.Select(Boolean)] : read;
    }

    /// <summary>The column of a data set after one reading by pandas, which always reads a TSV file.</summary>
    public static string?[] OfDataSet(IReadOnlyList<string> cells, AnswerFile file) => Load(cells, file == AnswerFile.TsvOfPandas1 ? AnswerFile.TsvOfPandas1 : AnswerFile.Tsv);

    private static bool IsMissing(string? cell, AnswerFile file) => cell is null || missing.Contains(cell) || (cell == "None" && file != AnswerFile.TsvOfPandas1);

    private static string InExcel(string cell)
    {
        StringBuilder written = new();
        foreach (char c in EscapeInExcel().Replace(cell, "_x005F$0"))
            written.Append(c is (< ' ' and not ('\t' or '\n')) or '\uFFFE' or '\uFFFF' ? $"_x{(int)c:X4}_" : c.ToString());
        if (PythonString.Length(cell) <= LongestExcelText)
            return written.ToString();
        int units = 0;
        for (int points = 0; points < LongestExcelText; points++)
            units += char.IsHighSurrogate(cell[units]) && units + 1 < cell.Length && char.IsLowSurrogate(cell[units + 1]) ? 2 : 1;
        return InExcel(cell[..units]);
    }

    private static bool IsInteger(string cell) => long.TryParse(cell.Trim(' ', '\t'), System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out _);

    private static string? Integer(string? cell) => cell is null ? null
        : long.Parse(cell, System.Globalization.NumberStyles.Integer, System.Globalization.CultureInfo.InvariantCulture).ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static bool IsFloat(string cell)
    {
        string trimmed = cell.Trim(' ', '\t');
        return !trimmed.Contains('_', StringComparison.Ordinal) && trimmed.All(char.IsAscii) && PythonNumber.TryFloat(trimmed, out double value) && !double.IsNaN(value);
    }

    private static string? Float(string? cell) => cell is not null && PythonNumber.TryFloat(cell, out double value) ? PythonNumber.Repr(value) : null;

    private static bool IsBoolean(string cell) => cell is "True" or "TRUE" or "true" or "False" or "FALSE" or "false";

    private static string? Boolean(string? cell) => cell is null ? null : cell is "True" or "TRUE" or "true" ? "True" : "False";

    [GeneratedRegex("_x[0-9a-fA-F]{4}_", RegexOptions.CultureInvariant)]
    private static partial Regex EscapeInExcel();
}
