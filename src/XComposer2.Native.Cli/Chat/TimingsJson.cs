namespace XComposer2.Native.Cli;

/// <summary>Times in milliseconds.</summary>
internal sealed record TimingsJson(double Load, double ImageDecode, double Vision, double Prefill, double Decode, double PerToken)
{
    public static TimingsJson Of(GenerationTimings timings, TimeSpan load) => new(
        Round(load), Round(timings.ImageDecode), Round(timings.Vision), Round(timings.Prefill), Round(timings.Decode), Round(timings.PerToken));

    private static double Round(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}
