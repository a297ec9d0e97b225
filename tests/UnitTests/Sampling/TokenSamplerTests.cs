using System.Diagnostics;
using System.Text.Json;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class TokenSamplerTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-6;
    private const int PublishedVocabulary = 92544;

    private static readonly SamplingParameters Plain = new(false, 1, 0, 1, 1);
    private static readonly SamplingParameters Greedy = new(true, 1, 0, 1, 1);

    [Fact]
    public void Probabilities_are_those_of_transformers()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(TestPaths.Golden("sampling/cases.json")));
        double worst = 0;
        int cases = 0;
        foreach (JsonElement entry in document.RootElement.EnumerateArray())
        {
            JsonElement given = entry.GetProperty("params");
            SamplingParameters parameters = new(false, given.GetProperty("temperature").GetSingle(), given.GetProperty("top_k").GetInt32(), given.GetProperty("top_p").GetSingle(), given.GetProperty("repetition_penalty").GetSingle());
            float[] logits = [.. entry.GetProperty("logits").EnumerateArray().Select(value => value.GetSingle())];
            double[] expected = [.. entry.GetProperty("probabilities").EnumerateArray().Select(value => value.GetDouble())];
            double[] found = Probabilities(parameters, entry.GetProperty("previous").EnumerateArray().Select(value => value.GetInt32()), logits);
            for (int id = 0; id < expected.Length; id++)
            {
                Assert.Equal(expected[id] == 0, found[id] == 0);
                worst = Math.Max(worst, Math.Abs(expected[id] - found[id]));
            }
            cases++;
        }
        output.WriteLine($"{cases} cases, worst difference {worst:E1}");
        Assert.True(cases >= 21 && worst <= Tolerance, $"{worst}");
    }

    [Fact]
    public void Probabilities_are_those_of_sorting_everything()
    {
        Random random = new(51);
        for (int i = 0; i < 3000; i++)
        {
            float[] logits = RandomLogits(random);
            SamplingParameters parameters = new(false, random.NextSingle() < 0.5 ? 1 : 0.1f + (2 * random.NextSingle()), random.Next(2) * random.Next(logits.Length + 3), random.Next(2) == 0 ? 1 : 0.01f + (0.98f * random.NextSingle()), random.Next(2) == 0 ? 1 : 0.5f + random.NextSingle());
            int[] previous = [.. Enumerable.Range(0, random.Next(8)).Select(_ => random.Next(logits.Length))];
            double[] expected = SamplerReference.Probabilities(parameters, previous, logits);
            double[] found = Probabilities(parameters, previous, logits);
            for (int id = 0; id < logits.Length; id++)
                Assert.True(Math.Abs(expected[id] - found[id]) <= Tolerance, $"case {i}, {parameters}, id {id}: expected {expected[id]}, found {found[id]}");
        }
    }

    [Fact]
    public void Equal_logits_at_the_border()
    {
        // All three that equal the second largest stay.
        Assert.Equal([0.25, 0.25, 0, 0.25, 0.25], Probabilities(Plain with { TopK = 2 }, [], [1, 1, 0, 1, 1]));
        // Of equal ones the lower ids go first; zeros of both signs are equal.
        Assert.Equal([0, 0, 0.5, 0.5], Probabilities(Plain with { TopP = 0.5f }, [], [0, -0f, -0f, 0]));
        Assert.Equal([0, 0, 0, 1], Probabilities(Plain with { TopP = float.Epsilon }, [], [1, 1, 1, 1]));
    }

    [Fact]
    public void Greedy_takes_the_lowest_of_the_largest()
    {
        Random random = new(52);
        for (int i = 0; i < 2000; i++)
        {
            float[] logits = RandomLogits(random);
            Assert.Equal(Array.IndexOf(logits, logits.Max()), new TokenSampler(Greedy, logits.Length, 0).Next(logits));
        }
    }

    [Fact]
    public void The_penalty_falls_once_on_each_id_chosen_before()
    {
        TokenSampler sampler = new(Greedy with { RepetitionPenalty = 2 }, 3, 0);
        Assert.Equal(1, sampler.Next([3, 4, -1]));
        Assert.Equal(0, sampler.Next([3, 4, -1]));
        Assert.Equal(1, sampler.Next([3, 4, -1]));
        Assert.Equal(1, sampler.Next([-9, 2.1f, 1]));
        Assert.Equal(2, sampler.Next([-0.5f, 1.9f, 1]));
        Assert.Equal(0, sampler.Next([-0.9f, -1, -2]));
    }

    [Fact]
    public void Temperature_is_not_looked_at_when_greedy() => Assert.Equal(1, new TokenSampler(new SamplingParameters(true, 0, -1, 0, 1), 2, 0).Next([1, 2]));

    [Fact]
    public void Infinite_logits()
    {
        float low = float.NegativeInfinity, high = float.PositiveInfinity;
        foreach (SamplingParameters parameters in (SamplingParameters[])[Plain, Plain with { TopK = 4 }, Plain with { TopP = 0.99f, Temperature = 1e-30f }, Plain with { RepetitionPenalty = 3 }])
        {
            Assert.Equal([0, 1, 0], Probabilities(parameters, [0, 1], [low, 1, low]));
            Assert.Equal([0, 0, 1, 0], Probabilities(parameters, [2], [1, 1e38f, high, low]));
            Assert.Equal([0, 0.5, 0.5], Probabilities(parameters, [], [1, high, high]));
        }
        Assert.Equal(1, new TokenSampler(Greedy, 3, 0).Next([1, high, high]));
        Assert.Equal(2, new TokenSampler(Greedy, 3, 0).Next([low, low, -float.MaxValue]));
        Assert.Throws<InvalidOperationException>(() => new TokenSampler(Greedy, 3, 0).Next([low, low, low]));
        Assert.Throws<InvalidOperationException>(() => new TokenSampler(Plain, 3, 0).Next([low, low, low]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(67)]
    public void The_first_nan_is_named(int count)
    {
        for (int id = 0; id < count; id++)
            foreach (SamplingParameters parameters in (SamplingParameters[])[Greedy, Plain, Plain with { TopK = 3, TopP = 0.5f }])
            {
                float[] logits = [.. Enumerable.Range(0, count).Select(i => i < id ? 1f : i == id ? float.NaN : i % 2 == 0 ? float.NaN : 2)];
                string message = Assert.Throws<InvalidOperationException>(() => new TokenSampler(parameters, count, 0).Next(logits)).Message;
                Assert.Equal($"the logit of id {id} is NaN", message);
            }
    }

    [Fact]
    public void The_draw_is_the_documented_one()
    {
        Random random = new(53);
        float[] logits = [.. Enumerable.Range(0, 300).Select(_ => 3 * random.NextSingle())];
        SamplingParameters parameters = Plain with { TopK = 40, TopP = 0.8f };
        double[] probabilities = Probabilities(parameters, [], logits);
        const ulong Seed = 0x0123456789ABCDEF;
        TokenSampler sampler = new(parameters, logits.Length, Seed), again = new(parameters, logits.Length, Seed), other = new(parameters, logits.Length, Seed + 1);
        int[] counts = new int[logits.Length];
        int different = 0;
        const int Steps = 20_000;
        for (uint step = 0; step < Steps; step++)
        {
            double u = Philox4x32.Block((step, 0, 0, 0), (0x89ABCDEF, 0x01234567)).X / 4294967296.0, sum = 0;
            int expected = 0;
            while ((sum += probabilities[expected]) <= u)
                expected++;
            int found = sampler.Next([.. logits]);
            Assert.Equal(expected, found);
            Assert.Equal(found, again.Next([.. logits]));
            different += found == other.Next([.. logits]) ? 0 : 1;
            counts[found]++;
        }
        Assert.True(different > Steps / 2);
        // Five standard deviations.
        for (int id = 0; id < counts.Length; id++)
            Assert.True(Math.Abs(counts[id] - (Steps * probabilities[id])) <= 5 * Math.Sqrt(Steps * probabilities[id]), $"id {id}: {counts[id]} draws");
    }

    [Fact]
    public void Parameters_out_of_range()
    {
        SamplingParameters[] wrong =
        [
            Plain with { Temperature = 0 }, Plain with { Temperature = -1 }, Plain with { Temperature = float.NaN }, Plain with { Temperature = float.PositiveInfinity }, Plain with { TopK = -1 },
            Plain with { TopP = 0 }, Plain with { TopP = 1.01f }, Plain with { TopP = float.NaN }, Plain with { RepetitionPenalty = 0 }, Greedy with { RepetitionPenalty = float.NaN },
        ];
        Assert.All(wrong, parameters => Assert.Throws<ArgumentOutOfRangeException>(() => new TokenSampler(parameters, 5, 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TokenSampler(Plain, 0, 0));
        Assert.Throws<ArgumentException>(() => new TokenSampler(Plain, 5, 0).Next(new float[4]));
    }

    /// <summary>Limits are some ten times what a busy machine of two cores takes.</summary>
    [Theory]
    [InlineData("greedy", true, 0, 1f, 10)]
    [InlineData("top-k 50, top-p 0.8", false, 50, 0.8f, 20)]
    [InlineData("top-p 0.8", false, 0, 0.8f, 30)]
    [InlineData("everything", false, 0, 1f, 20)]
    [InlineData("top-k 40,000, top-p 0.99", false, 40_000, 0.99f, 40)]
    public void A_step_is_fast_and_allocates_nothing(string name, bool greedy, int topK, float topP, double limitMilliseconds)
    {
        Random random = new(54);
        float[] logits = [.. Enumerable.Range(0, PublishedVocabulary).Select(_ => 10 * (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5))], copy = new float[logits.Length];
        TokenSampler sampler = new(new SamplingParameters(greedy, 0.9f, topK, topP, 1.005f), logits.Length, 1);
        double best = double.MaxValue;
        long allocatedBytes = long.MaxValue;
        for (int i = 0; i < 60; i++)
        {
            logits.CopyTo(copy, 0);
            long before = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
            sampler.Next(copy);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            // The least of all steps: a collection that another thread started is charged to this one now and then.
            allocatedBytes = Math.Min(allocatedBytes, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        output.WriteLine($"{name}: {best:F3} ms");
        Assert.True(best < limitMilliseconds, $"{best} ms");
        Assert.Equal(0, allocatedBytes);
    }

    private static double[] Probabilities(SamplingParameters parameters, IEnumerable<int> previous, float[] logits)
    {
        TokenSampler sampler = new(parameters, logits.Length, 0);
        foreach (int id in previous)
            sampler.Remember(id);
        double[] probabilities = new double[logits.Length];
        sampler.Probabilities([.. logits], probabilities);
        return probabilities;
    }

    private static float[] RandomLogits(Random random)
    {
        float[] logits = new float[random.Next(1, 200)];
        bool ties = random.Next(2) == 0, extremes = random.Next(4) == 0;
        foreach (ref float logit in logits.AsSpan())
        {
            logit = ties ? random.Next(-6, 7) : 12 * (random.NextSingle() - 0.5f);
            if (extremes)
                logit = random.Next(6) switch { 0 => float.NegativeInfinity, 1 => -float.MaxValue, 2 => float.Epsilon, 3 => -0f, _ => logit };
        }
        if (logits.Max() == float.NegativeInfinity)
            logits[0] = 0;
        return logits;
    }
}
