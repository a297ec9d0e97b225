using System.Globalization;

namespace XComposer2.Native.Cli;

/// <summary>Results of <c>xc2 bench kernels</c> as comma-separated values (RFC 4180): a header, then a line for each case.</summary>
internal static class KernelBenchCsv
{
    public static string Of(KernelBenchJson report) => Table(
        ["kernel", "work", "median_us", "min_us", "p90_us", "bytes", "flops", "gb_per_s", "tflop_per_s", "bound", "limit_us", "of_limit", "grid", "specialisation"],
        report.Kernels.Select(time => (object[])
        [
            time.Kernel, time.Work, time.MedianUs, time.MinUs, time.P90Us, time.Bytes, time.Flops, time.GbPerS, time.TflopPerS, time.Bound, time.LimitUs, time.OfLimit,
            time.Grid, time.Specialisation,
        ]));

    public static string Of(KernelComparison comparison) => Table(
        ["kernel", "work", "before_us", "after_us", "ratio", "before_of_limit", "after_of_limit"],
        comparison.Pairs.Select(pair => (object[])
        [
            pair.After.Kernel, pair.After.Work, pair.Before.MedianUs, pair.After.MedianUs, Math.Round(pair.Ratio, 4), pair.Before.OfLimit, pair.After.OfLimit,
        ]));

    private static string Table(string[] header, IEnumerable<object[]> rows) =>
        string.Concat(rows.Prepend(header).Select(row => string.Join(',', row.Select(Field)) + "\r\n"));

    private static string Field(object value)
    {
        string text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
