using System.Text.Json;
using System.Xml.Linq;
using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary><c>xc2 bench kernels --compare</c>, <c>--csv</c> and <c>--svg</c>.</summary>
public sealed class KernelBenchOutputTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("xc2-kernel-bench-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Comparison_matches_cases_and_counts_what_changed()
    {
        string before = Save("before.json", Report(("linear_decode", "1 row", 100), ("linear_decode", "8 rows", 50), ("rms_norm", "1 row", 4), ("old", "1 row", 4)));
        string after = Save("after.json", Report(("linear_decode", "1 row", 80), ("linear_decode", "8 rows", 55), ("rms_norm", "1 row", 4), ("new", "1 row", 4)) with { Driver = "13.0" });
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("bench", "kernels", "--compare", before, after));
        Assert.Contains("measured differently: driver: 12.4 before, 13.0 after", xc2.Output, StringComparison.Ordinal);
        Assert.Contains("100.0        80.0         0.800", xc2.Output, StringComparison.Ordinal);
        // The geometric mean of 0.8, 1.1 and 1.
        Assert.Contains("3 cases: 1 slower and 1 faster by over 3 %; geometric mean of after/before 0.958", xc2.Output, StringComparison.Ordinal);
        Assert.Contains("only before: 1 cases, first old 1 row", xc2.Output, StringComparison.Ordinal);
        Assert.Contains("only after: 1 cases, first new 1 row", xc2.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Comparison_as_comma_separated_values()
    {
        string before = Save("before.json", Report(("linear_decode", "6144x4096, 1 row", 100))), after = Save("after.json", Report(("linear_decode", "6144x4096, 1 row", 125)));
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("bench", "kernels", "--compare", before, after, "--csv"));
        Assert.Equal("kernel,work,before_us,after_us,ratio,before_of_limit,after_of_limit\r\nlinear_decode,\"6144x4096, 1 row\",100,125,1.25,0.5,0.5\r\n", xc2.Output);
    }

    [Theory]
    [InlineData("{}", "found no kernels")]
    [InlineData("[]", "found The JSON value could not be converted")]
    [InlineData("{\"kernels\": [null]}", "found an entry without a kernel")]
    [InlineData("{\"kernels\": [{\"kernel\": \"k\", \"work\": \"w\", \"median_us\": 0}]}", "found k")]
    [InlineData("{\"kernels\": [{\"kernel\": \"k\"", "found Expected")]
    public async Task Other_files_are_refused_by_name(string content, string found)
    {
        string good = Save("good.json", Report(("linear_decode", "1 row", 100))), bad = Path.Combine(folder, "bad.json");
        await File.WriteAllTextAsync(bad, content, TestContext.Current.CancellationToken);
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Usage, await xc2.RunAsync("bench", "kernels", "--compare", good, bad));
        Assert.StartsWith($"xc2: {bad}: expected ", xc2.Error, StringComparison.Ordinal);
        Assert.Contains(found, xc2.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, await xc2.RunAsync("bench", "kernels", "--compare", good, Path.Combine(folder, "none.json")));
    }

    [Theory]
    [InlineData("xc2: --json: a comparison is text or --csv", "--json")]
    [InlineData("xc2: --svg: a comparison is text or --csv", "--svg", "x.svg")]
    [InlineData("xc2: --json and --csv: expected a file for one of them, both would be standard output", "--json", "--csv")]
    public async Task Outputs_that_exclude_each_other_are_refused(string message, params string[] args)
    {
        string file = Save("a.json", Report(("linear_decode", "1 row", 100)));
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Usage, await xc2.RunAsync(["bench", "kernels", "--compare", file, file, .. args]));
        Assert.StartsWith(message, xc2.Error, StringComparison.Ordinal);
        Assert.Equal("", xc2.Output);
    }

    [Fact]
    public void Roofline_places_each_case_under_its_limit()
    {
        KernelBenchJson report = Report(("linear_decode", "1 row <&>", 100), ("linear_prefill", "512 rows", 200), ("select_rows", "1 row", 2));
        report = report with { Kernels = [report.Kernels[0], report.Kernels[1] with { Flops = 400_000_000_000 }, report.Kernels[2] with { Flops = 0 }] };
        XElement svg = XDocument.Parse(RooflineSvg.Of(report)).Root!;
        XNamespace names = svg.Name.Namespace;
        XElement[] points = [.. svg.Descendants(names + "circle").Where(circle => circle.Element(names + "title") is not null)];
        Assert.Equal(["linear_decode 1 row <&>: 100.0 us, 0.50 of the limit", "linear_prefill 512 rows: 200.0 us, 0.50 of the limit"], points.Select(point => point.Element(names + "title")!.Value));
        Assert.True((double)points[0].Attribute("cx")! < (double)points[1].Attribute("cx")!, "more operations per byte stand further right");
        Assert.DoesNotContain("NaN", svg.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Measured_cases_as_comma_separated_values()
    {
        string[] lines = KernelBenchCsv.Of(Report(("linear_decode", "say \"1\"", 100))).Split("\r\n");
        Assert.Equal(["kernel,work,median_us,min_us,p90_us,bytes,flops,gb_per_s,tflop_per_s,bound,limit_us,of_limit,grid,specialisation", "linear_decode,\"say \"\"1\"\"\",100,100,100,100000000,200000000,1000,2,bytes,50,0.5,\"(1, 1, 1)\",", ""], lines);
    }

    private static KernelBenchJson Report(params (string Kernel, string Work, double Us)[] times)
    {
        KernelTimeJson[] kernels = [.. times.Select(time => new KernelTimeJson(time.Kernel, time.Work, time.Us, time.Us, time.Us, 100_000_000, 200_000_000, 1000, 2, "bytes", time.Us / 2, 0.5, "(1, 1, 1)", ""))];
        return new KernelBenchJson("7b", "card", "12.4", "12.4", "bf16", "cold", 30, false, 2000, 300, 1, 2, kernels, kernels);
    }

    private string Save(string name, KernelBenchJson report)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, JsonSerializer.Serialize(report, CliJson.Indented.KernelBenchJson));
        return path;
    }
}
