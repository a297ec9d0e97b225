using System.Text.Json.Serialization;

namespace XComposer2.Native.Cli;

/// <summary>One stage. What it has not, and numbers that are not finite, which JSON has not, are left out.</summary>
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
