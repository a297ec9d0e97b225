namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 bench --json</c> prints.</summary>
internal sealed record SpeedJson(string Model, string Device, long WeightBytes, long DecodeWeightBytes, IReadOnlyList<SpeedSeriesJson> Series)
{
    public static SpeedJson Of(SpeedResult speed) =>
        new(speed.Model, speed.Device, speed.WeightBytes, speed.DecodeWeightBytes, [.. speed.Series.Select(SpeedSeriesJson.Of)]);
}
