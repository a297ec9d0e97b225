using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Error limits of fp32 results relative to double precision.</summary>
public static class Accuracy
{
    /// <summary>All supported widths; those without hardware support run in software.</summary>
    public static readonly int[] Widths = [128, 256, 512];

    public static void Close(ReadOnlySpan<double> expected, ReadOnlySpan<float> actual, double relativeL2, string what = "")
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = 0, norm = 0, worst = -1;
        int worstIndex = -1;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs(actual[i] - expected[i]);
            if (!double.IsFinite(difference))
                Assert.Fail($"{what}[{i}] is {actual[i]}, expected {expected[i]}");
            error += difference * difference;
            norm += expected[i] * expected[i];
            if (difference > worst)
                (worst, worstIndex) = (difference, i);
        }

        double relative = Math.Sqrt(error / Math.Max(norm, double.Epsilon));
        Assert.True(
            relative <= relativeL2 || error == 0,
            $"{what}: relative L2 {relative:g3} over {relativeL2:g3}; worst at {worstIndex}: {(worstIndex < 0 ? 0 : actual[worstIndex])} for {(worstIndex < 0 ? 0 : expected[worstIndex])}");
    }

    public static void Same(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what = "")
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
                Assert.Fail($"{what}[{i}]: {actual[i]:g9} is not bitwise equal to {expected[i]:g9}");
    }
}
