namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 verify --json</c> prints.</summary>
internal sealed record VerificationJson(string Model, string Device, double Tolerance, bool Passed, IReadOnlyList<StageJson> Stages)
{
    public static VerificationJson Of(VerificationReport report) =>
        new(report.Model, report.Device, report.Tolerance, report.Passed, [.. report.Stages.Select(StageJson.Of)]);
}
