using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace XComposer2.Native.Cli;

/// <summary>Two results of <c>xc2 bench kernels --json</c>, case by case.</summary>
/// <param name="Before">The first file.</param>
/// <param name="After">The second file.</param>
/// <param name="Pairs">Cases that both have, in the order of the second.</param>
/// <param name="OnlyBefore">Names of cases that only the first has.</param>
/// <param name="OnlyAfter">Names of cases that only the second has.</param>
internal sealed record KernelComparison(
    KernelBenchJson Before, KernelBenchJson After, IReadOnlyList<KernelPair> Pairs, IReadOnlyList<string> OnlyBefore, IReadOnlyList<string> OnlyAfter)
{
    /// <summary>Geometric mean of the pairs' ratios; 1 where there are none.</summary>
    public double MeanRatio => Pairs.Count == 0 ? 1 : Math.Exp(Pairs.Average(pair => Math.Log(pair.Ratio)));

    /// <summary>What makes two results differ besides the kernels; empty where they were measured alike.</summary>
    public IReadOnlyList<string> Differences =>
    [
        .. Difference("model", Before.Model, After.Model), .. Difference("device", Before.Device, After.Device), .. Difference("driver", Before.Driver, After.Driver),
        .. Difference("NVRTC", Before.Nvrtc, After.Nvrtc), .. Difference("storage", Before.Storage, After.Storage), .. Difference("L2", Before.L2, After.L2),
    ];

    /// <exception cref="UsageException">A file is no result of <c>xc2 bench kernels --json</c>; the message names it and the field.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static KernelComparison Read(string before, string after) => Of(KernelBenchFile.Read(before), KernelBenchFile.Read(after));

    public static KernelComparison Of(KernelBenchJson before, KernelBenchJson after)
    {
        Dictionary<string, KernelTimeJson> first = [];
        foreach (KernelTimeJson time in before.Kernels)
            first[Name(time)] = time;
        var pairs = new List<KernelPair>();
        var added = new List<string>();
        foreach (KernelTimeJson time in after.Kernels)
            if (first.Remove(Name(time), out KernelTimeJson? earlier))
                pairs.Add(new KernelPair(earlier, time));
            else
                added.Add(Name(time));
        return new KernelComparison(before, after, pairs, [.. first.Keys], added);
    }

    private static string Name(KernelTimeJson time) => $"{time.Kernel} {time.Work}";

    private static string[] Difference(string what, string before, string after) => before == after ? [] : [$"{what}: {before} before, {after} after"];
}

/// <summary>One case of both results.</summary>
/// <param name="Before">Of the first.</param>
/// <param name="After">Of the second.</param>
internal sealed record KernelPair(KernelTimeJson Before, KernelTimeJson After)
{
    /// <summary>Time after over time before: below 1 is faster.</summary>
    public double Ratio => After.MedianUs / Before.MedianUs;
}

/// <summary>A file written by <c>xc2 bench kernels --json</c>.</summary>
internal static class KernelBenchFile
{
    private const long MaximumBytes = 64L << 20;

    /// <exception cref="UsageException">The file is something else; the message names it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static KernelBenchJson Read(string path)
    {
        const string Expected = "a result of xc2 bench kernels --json";
        long bytes = new FileInfo(path).Length;
        if (bytes > MaximumBytes)
            throw new UsageException($"{path}: expected {Expected}, found {bytes} bytes");
        try
        {
            KernelBenchJson? report = JsonSerializer.Deserialize(File.ReadAllBytes(path), CliJson.Lines.KernelBenchJson);
            if (report?.Kernels is not { Count: > 0 } times)
                throw new UsageException($"{path}: expected {Expected}, found no kernels");
            foreach (KernelTimeJson? time in times)
                if (time is not { Kernel.Length: > 0, Work: not null, MedianUs: > 0 })
                    throw new UsageException($"{path}: expected a kernel, its work and a median_us over 0 in every entry of kernels, found {time?.Kernel ?? "an entry without a kernel"}");
            return report;
        }
        catch (JsonException error)
        {
            throw new UsageException($"{path}: expected {Expected}, found {error.Message}");
        }
    }
}

/// <summary>A comparison for people.</summary>
internal sealed class KernelComparisonText(IAnsiConsole console)
{
    // Repeated runs of one program on one card differ by as much.
    private const double Noise = 0.03;

    public void Write(KernelComparison comparison)
    {
        Line($"{TerminalText.OneLine(comparison.After.Model)} on {TerminalText.OneLine(comparison.After.Device)}", "bold");
        foreach (string difference in comparison.Differences)
            Line($"  measured differently: {TerminalText.OneLine(difference)}", "yellow");
        int width = 4 + comparison.Pairs.Select(pair => pair.After.Work.Length).DefaultIfEmpty(20).Max();
        foreach (IGrouping<string, KernelPair> kernel in comparison.Pairs.GroupBy(pair => pair.After.Kernel))
        {
            Line("");
            Line($"{TerminalText.OneLine(kernel.Key).PadRight(width)}{"before, us",12}{"after, us",12}{"after/before",14}{"of limit",18}", "bold");
            foreach (KernelPair pair in kernel)
                Line(Row(pair, width), pair.Ratio > 1 + Noise ? "red" : pair.Ratio < 1 - Noise ? "green" : "default");
        }

        Line("");
        Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{comparison.Pairs.Count} cases: {comparison.Pairs.Count(pair => pair.Ratio > 1 + Noise)} slower and {comparison.Pairs.Count(pair => pair.Ratio < 1 - Noise)} faster by over {Noise:P0}; geometric mean of after/before {comparison.MeanRatio:0.000}"));
        Others("only before", comparison.OnlyBefore);
        Others("only after", comparison.OnlyAfter);
    }

    private static string Row(KernelPair pair, int width) => string.Create(
        CultureInfo.InvariantCulture,
        $"  {TerminalText.OneLine(pair.After.Work).PadRight(width - 2)}{pair.Before.MedianUs,12:0.0}{pair.After.MedianUs,12:0.0}{pair.Ratio,14:0.000}{pair.Before.OfLimit,10:0.000} > {pair.After.OfLimit:0.000}");

    private void Others(string title, IReadOnlyList<string> names)
    {
        if (names.Count > 0)
            Line($"{title}: {names.Count} cases, first {TerminalText.OneLine(names[0])}");
    }

    private void Line(string text, string style = "default") => console.WriteLine(text, Style.Parse(style));
}
