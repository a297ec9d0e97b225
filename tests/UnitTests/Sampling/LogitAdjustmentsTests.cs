using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class LogitAdjustmentsTests
{
    private static readonly SamplingRequest plain = new() { Parameters = new SamplingParameters(Greedy: true, 1, 0, 1, 1) };

    [Fact]
    public void Request_without_adjustments_has_none() => Assert.Null(LogitAdjustments.Of(plain));

    [Fact]
    public void Bias_is_added_at_each_step()
    {
        LogitAdjustments adjustments = LogitAdjustments.Of(plain with { Biases = new TokenBias[] { new(1, -100), new(3, 2.5f) } })!;
        Assert.Equal([0, -99, 2, 5.5f], Applied(adjustments));
        adjustments.Hear(3);
        Assert.Equal([0, -99, 2, 5.5f], Applied(adjustments));
    }

    [Fact]
    public void Frequency_penalty_counts_occurrences_and_presence_penalty_does_not()
    {
        LogitAdjustments adjustments = LogitAdjustments.Of(plain with { FrequencyPenalty = 0.5f, PresencePenalty = 1 })!;
        Assert.Equal([0, 1, 2, 3], Applied(adjustments));
        adjustments.Hear(2);
        Assert.Equal([0, 1, 0.5f, 3], Applied(adjustments));
        adjustments.Hear(2);
        adjustments.Hear(0);
        Assert.Equal([-1.5f, 1, 0, 3], Applied(adjustments));
    }

    [Fact]
    public void Negative_penalties_favour_what_was_said()
    {
        LogitAdjustments adjustments = LogitAdjustments.Of(plain with { FrequencyPenalty = -2 })!;
        adjustments.Hear(0);
        adjustments.Hear(0);
        Assert.Equal([4, 1, 2, 3], Applied(adjustments));
    }

    [Theory]
    [InlineData(4, 1f)]
    [InlineData(-1, 1f)]
    [InlineData(0, float.NaN)]
    public void Bias_of_no_token_or_of_no_number_is_refused(int id, float bias)
    {
        using var sampler = new CpuTokenSampler(4, slots: 1);
        Assert.Throws<ArgumentException>(() => sampler.Begin(0, plain with { Biases = new TokenBias[] { new(id, bias) } }));
    }

    private static float[] Applied(LogitAdjustments adjustments)
    {
        float[] logits = [0, 1, 2, 3];
        adjustments.Apply(logits);
        return logits;
    }
}
