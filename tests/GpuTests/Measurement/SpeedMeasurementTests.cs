using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class SpeedMeasurementTests(GpuDevice device)
{
    /// <summary>Measured times include the device's work, not only its launch: on a slow device, many rows take much longer than one.</summary>
    [Fact]
    public void Prefill_time_includes_its_token()
    {
        if (!device.Context.Device.Name.StartsWith("Emulated", StringComparison.Ordinal))
            Assert.Skip("a GPU computes the few rows of the demo in the time of one");
        SpeedOptions options = new()
        {
            ModelPath = RepositoryPaths.Find("tools/demo/checkpoint"), TextTokens = 48, DecodeSteps = 2, Samples = 1, Device = new DeviceOptions { Kind = DeviceKind.Cuda },
        };
        SpeedResult speed = SpeedMeasurement.Run(options, null, TestContext.Current.CancellationToken);
        TimeSpan prefill = speed.Series.Single(series => series.Name == "prefill").Median, step = speed.Series.Single(series => series.Name == "decode").Median / 2;
        Assert.True(prefill > 2 * step, $"prefill of 48 tokens took {prefill}, a decode step {step}");
    }
}
