using System.Globalization;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace XComposer2.Native.Cli;

/// <summary>Output of <c>xc2 verify --json</c>.</summary>
internal sealed record VerificationJson(string Model, string Device, double Tolerance, bool Passed, IReadOnlyList<StageJson> Stages)
{
    public static VerificationJson Of(VerificationReport report) =>
        new(report.Model, report.Device, report.Tolerance, report.Passed, [.. report.Stages.Select(StageJson.Of)]);
}

/// <summary>One stage. Missing and non-finite values, which JSON cannot represent, are omitted.</summary>
internal sealed record StageJson(string Name, bool Passed)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Elements { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaxAbs { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? RelativeL2 { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Cosine { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? FirstBad { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? ExpectedIds { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? FoundIds { get; init; }

    public static StageJson Of(StageResult stage) => stage switch
    {
        TensorStage tensor => new StageJson(stage.Name, stage.Passed)
        {
            Elements = tensor.Elements,
            MaxAbs = Finite(tensor.MaximumError),
            RelativeL2 = Finite(tensor.RelativeL2),
            Cosine = Finite(tensor.Cosine),
            FirstBad = tensor.FirstBad >= 0 ? tensor.FirstBad : null,
        },
        IdStage ids => new StageJson(stage.Name, stage.Passed) { ExpectedIds = ids.Expected, FoundIds = ids.Found },
        _ => new StageJson(stage.Name, stage.Passed),
    };

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}

/// <summary>Prints a verification: a line for each finished stage, then the verdict.</summary>
internal sealed class VerificationText(IAnsiConsole console) : IProgress<StageResult>
{
    private bool begun;

    public void Report(StageResult value)
    {
        if (!begun)
            Line($"  {"stage",-34}{"max abs",10}{"rel. L2",10}{"cosine",12}", "bold");
        begun = true;
        string verdict = value.Passed ? "ok" : "FAILED";
        string numbers = value switch
        {
            TensorStage tensor => string.Create(CultureInfo.InvariantCulture, $"{tensor.MaximumError,10:0.0e+00}{tensor.RelativeL2,10:0.0e+00}{tensor.Cosine,12:0.00000000}"),
            IdStage ids => $"{Equal(ids)} of {ids.Expected.Count} equal",
            _ => "",
        };
        Line($"  {TerminalText.OneLine(value.Name),-34}{numbers,-32}  {verdict}{Where(value)}", value.Passed ? "default" : "red");
    }

    public void WriteVerdict(VerificationReport report)
    {
        double tolerance = report.Tolerance;
        int failed = report.Stages.Count(stage => !stage.Passed);
        Line("");
        Line($"  {TerminalText.OneLine(report.Model)}; {report.Device}");
        if (failed == 0)
            Line(string.Create(CultureInfo.InvariantCulture, $"  All {report.Stages.Count} stages are within {tolerance:0.#e+00}."), "green");
        else
            Line(string.Create(CultureInfo.InvariantCulture, $"  {failed} of {report.Stages.Count} stages are out of tolerance ({tolerance:0.#e+00})."), "red");
    }

    private static string Where(StageResult stage) => stage switch
    {
        TensorStage { FirstBad: >= 0 } tensor => string.Create(CultureInfo.InvariantCulture, $" from element {tensor.FirstBad}"),
        IdStage { Passed: false } ids => $": expected {string.Join(' ', ids.Expected)}, found {string.Join(' ', ids.Found)}",
        _ => "",
    };

    private static int Equal(IdStage ids) => ids.Expected.Zip(ids.Found).Count(static pair => pair.First == pair.Second);

    private void Line(string text, string style = "default") => console.WriteLine(text, Style.Parse(style));
}
