using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class SpeedMeasurementTests(GpuDevice device)
{
    /// <summary>A time counts what the device does, not what it takes to tell it: where one row takes a while, many rows take much longer.</summary>
    [Fact]
    public void Prefill_is_over_when_its_token_is_there()
    {
        if (!device.Context.Device.Name.StartsWith("Emulated", StringComparison.Ordinal))
            Assert.Skip("a GPU does the few rows of the demo in the time of one");
        SpeedOptions options = new()
        {
            ModelPath = RepositoryPaths.Find("tools/demo/checkpoint"), TextTokens = 48, DecodeSteps = 2, Samples = 1, Device = new DeviceOptions { Kind = DeviceKind.Cuda },
        };
        SpeedResult speed = SpeedMeasurement.Run(options, null, TestContext.Current.CancellationToken);
        TimeSpan prefill = speed.Series.Single(series => series.Name == "prefill").Median, step = speed.Series.Single(series => series.Name == "decode").Median / 2;
        Assert.True(prefill > 2 * step, $"prefill of 48 tokens took {prefill}, a decode step {step}");
    }
}
