using System.Text.Json;
using XComposer2.Native.Kernels;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class SampleTokenTests(GpuDevice device, ITestOutputHelper output)
{
    private const int PublishedVocabulary = 92544;

    private static readonly float low = float.NegativeInfinity, high = float.PositiveInfinity;

    /// <summary>Vocabularies that fit the list of candidates (2048) and that do not; parameters that leave few candidates and that leave too many for it.</summary>
    [Theory]
    [InlineData(2, 32, 3)]
    [InlineData(31, 64, 3)]
    [InlineData(1280, 48, 3)]
    [InlineData(1500, 1, 3)]
    [InlineData(1500, 7, 2)]
    [InlineData(1500, 9, 2)]
    [InlineData(1500, 31, 2)]
    [InlineData(2048, 16, 2)]
    [InlineData(2049, 32, 2)]
    [InlineData(5000, 48, 2)]
    [InlineData(PublishedVocabulary, 12, 2)]
    public void Ids_are_those_of_the_processors_sampler(int vocabulary, int rows, int steps)
    {
        Random random = new(vocabulary);
        SamplingRun.CheckAgainstProcessor(device, [.. Enumerable.Range(0, rows).Select(index => RandomRow(random, vocabulary, steps, index))]);
    }

    /// <summary>The published vocabulary with what people set, and with borders among tens of thousands of equal logits.</summary>
    [Fact]
    public void The_published_vocabulary()
    {
        Random random = new(3);
        float[] bell = [.. Enumerable.Range(0, PublishedVocabulary).Select(_ => 10 * (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5))];
        float[] few = [.. bell.Select(logit => MathF.Round(logit))], equal = new float[PublishedVocabulary];
        SamplingParameters usual = new(false, 1, 50, 0.8f, 1.005f);
        List<SamplingRow> rows = [];
        foreach (float[] logits in (float[][])[bell, few, equal])
            foreach (SamplingParameters parameters in (SamplingParameters[])[usual, SamplingRow.Greedy, SamplingRow.Plain, usual with { TopK = 0 }, usual with { TopK = 1024 }, usual with { TopK = 1025 }, usual with { TopK = 40_000, TopP = 0.999f }])
                rows.Add(new SamplingRow(parameters, (ulong)random.NextInt64(), [logits]));
        SamplingRun.CheckAgainstProcessor(device, rows);
    }

    [Fact]
    public void Draws_follow_the_probabilities_of_transformers()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(RepositoryPaths.Find("tests/golden/sampling/cases.json")));
        int checkedDraws = 0;
        foreach (JsonElement entry in document.RootElement.EnumerateArray())
        {
            JsonElement given = entry.GetProperty("params");
            SamplingParameters parameters = new(false, given.GetProperty("temperature").GetSingle(), given.GetProperty("top_k").GetInt32(), given.GetProperty("top_p").GetSingle(), given.GetProperty("repetition_penalty").GetSingle());
            float[] logits = [.. entry.GetProperty("logits").EnumerateArray().Select(value => value.GetSingle())];
            double[] probabilities = [.. entry.GetProperty("probabilities").EnumerateArray().Select(value => value.GetDouble())];
            int[] previous = [.. entry.GetProperty("previous").EnumerateArray().Select(value => value.GetInt32())];
            SamplingRow[] rows = [.. Enumerable.Range(0, 24).Select(seed => new SamplingRow(parameters, (ulong)seed, [logits]) { Previous = previous })];
            SampledToken[] tokens = SamplingRun.Sample(device, rows)[0];
            for (int seed = 0; seed < rows.Length; seed++)
                checkedDraws += CheckDraw(probabilities, Philox4x32.Uniform((ulong)seed, 0), tokens[seed].Id) ? 1 : 0;
        }

        output.WriteLine($"{checkedDraws} draws");
        Assert.True(checkedDraws > 400, $"only {checkedDraws} draws were away from a border");
    }

    [Fact]
    public void Equal_logits_at_the_border()
    {
        // All three that equal the second largest stay.
        Assert.Equal([0, 1, 3, 4], Chosen(SamplingRow.Plain with { TopK = 2 }, [1, 1, 0, 1, 1]));
        // Of equal ones the lower ids go first; zeros of both signs are equal.
        Assert.Equal([2, 3], Chosen(SamplingRow.Plain with { TopP = 0.5f }, [0, -0f, -0f, 0]));
        Assert.Equal([3], Chosen(SamplingRow.Plain with { TopP = float.Epsilon }, [1, 1, 1, 1]));
        // 1 and 3/e of 1 and 4/e are the first to exceed three quarters.
        Assert.Equal([1, 2, 3, 4], Chosen(SamplingRow.Plain with { TopP = 0.75f, TopK = 2 }, [1, 2, 1, 1, 1]));
    }

    /// <summary>Where the sum equals the number drawn, to the last bit, the next id is chosen.</summary>
    [Fact]
    public void A_draw_on_the_border_itself()
    {
        const int Vocabulary = 1 << 16;
        ulong seed = 0;
        while (Philox4x32.Uniform(seed, 0) * Vocabulary % 1 != 0)
            seed++;
        SampledToken token = SamplingRun.CheckAgainstProcessor(device, [new SamplingRow(SamplingRow.Plain, seed, [new float[Vocabulary]])])[0][0];
        Assert.Equal((int)(Philox4x32.Uniform(seed, 0) * Vocabulary), token.Id);
    }

    [Fact]
    public void Infinite_logits()
    {
        foreach (SamplingParameters parameters in (SamplingParameters[])[SamplingRow.Plain, SamplingRow.Plain with { TopK = 4 }, SamplingRow.Plain with { TopP = 0.99f, Temperature = 1e-30f }, SamplingRow.Plain with { RepetitionPenalty = 3 }])
        {
            Assert.Equal([1], Chosen(parameters, [low, 1, low]));
            Assert.Equal([2], Chosen(parameters, [1, 1e38f, high, low]));
            Assert.Equal([1, 2], Chosen(parameters, [1, high, high]));
        }

        SamplingRun.CheckAgainstProcessor(device, [new(SamplingRow.Greedy, 0, [[1, high, high]]), new(SamplingRow.Greedy, 0, [[low, low, -float.MaxValue]])]);
    }

    /// <summary>A row that failed goes on with the next step, and does not disturb the others.</summary>
    [Fact]
    public void Logits_that_are_no_numbers_are_told_to_the_host()
    {
        foreach (SamplingParameters parameters in (SamplingParameters[])[SamplingRow.Greedy, SamplingRow.Plain, SamplingRow.Plain with { TopK = 3, TopP = 0.5f }])
        {
            SamplingRow[] rows =
            [
                new(parameters, 1, [[1, float.NaN, 2, float.NaN], [9, low, low, low]]),
                new(parameters, 2, [[low, low, 4, low], [low, low, low, 5]]),
                new(parameters, 3, [[low, low, low, low], [low, 7, low, low]]),
                new(parameters, 4, [[low, low, low, -float.NaN], [low, low, low, float.NaN]]),
            ];
            SampledToken[][] tokens = SamplingRun.Sample(device, rows);
            Assert.Equal(["the logit of id 1 is NaN", null, "every logit is -infinity", "the logit of id 3 is NaN"], tokens[0].Select(token => token.Failure));
            Assert.Equal([null, null, null, "the logit of id 3 is NaN"], tokens[1].Select(token => token.Failure));
            Assert.Equal(2, tokens[0][1].Id);
            Assert.Equal([0, 3, 1], tokens[1].Take(3).Select(token => token.Id));
        }
    }

    /// <summary>An id that is not allowed is not chosen, and its NaN is not told; biases come before the penalties, each id counted once an occurrence.</summary>
    [Fact]
    public void Constraint_biases_and_penalties_change_the_logits()
    {
        SamplingRow constrained = new(SamplingRow.Greedy, 0, [[1, float.NaN, 2, 5], [9, high, 3, 4]]) { Allowed = [0b0101] };
        SamplingRow biased = new(SamplingRow.Greedy, 0, [[1, 2, 3, 4], [1, 2, 3, 4]]) { Biases = [new(0, 3.5f), new(3, -2)] };
        SamplingRow penalised = new(SamplingRow.Greedy, 0, [[0, 1.25f, 0, 0], [0, 1.25f, 0, 0]]) { FrequencyPenalty = 0.5f, PresencePenalty = 1 };
        SamplingRow nothing = new(SamplingRow.Greedy, 0, [[1, 2, 3, 4], [1, 2, low, 4]]) { Allowed = [0b0100] };
        SampledToken[][] found = SamplingRun.CheckAgainstProcessor(device, [constrained, biased, penalised, nothing]);
        Assert.Equal([2, 0, 1, 2], found[0].Select(token => token.Id));
        Assert.Equal([0, 0, 0], found[1].Take(3).Select(token => token.Id));
        Assert.Equal("every logit is -infinity", found[1][3].Failure);
    }

    [Fact]
    public void The_penalty_falls_once_on_each_id_chosen_before()
    {
        SamplingRow row = new(SamplingRow.Greedy with { RepetitionPenalty = 2 }, 0, [[3, 4, -1], [3, 4, -1], [3, 4, -1], [-9, 2.1f, 1], [-0.5f, 1.9f, 1], [-0.9f, -1, -2]]);
        Assert.Equal([1, 0, 1, 1, 2, 0], SamplingRun.Sample(device, [row]).Select(step => step[0].Id));
    }

    private static SamplingRow RandomRow(Random random, int vocabulary, int steps, int index)
    {
        int topK = random.Next(4) switch { 0 => 0, 1 => random.Next(1, 60), 2 => random.Next(1, vocabulary + 3), _ => 50 };
        float topP = random.Next(3) switch { 0 => 1, 1 => 0.01f + (0.98f * random.NextSingle()), _ => random.Next(5) == 0 ? float.Epsilon : 0.8f };
        SamplingParameters parameters = new(random.Next(8) == 0, random.Next(2) == 0 ? 1 : 0.1f + (2 * random.NextSingle()), topK, topP, random.Next(2) == 0 ? 1 : 0.5f + random.NextSingle());
        SamplingRow row = new(parameters, (ulong)random.NextInt64(), [.. Enumerable.Range(0, steps).Select(_ => RandomLogits(random, vocabulary, index % 6))]);
        if (random.Next(4) == 0)
            row = row with { Biases = [.. Enumerable.Range(0, vocabulary).Where(_ => random.Next(vocabulary) < 40).Select(id => new TokenBias(id, 200 * (random.NextSingle() - 0.5f)))] };
        if (random.Next(4) == 0)
            row = row with { FrequencyPenalty = 4 * (random.NextSingle() - 0.5f), PresencePenalty = random.Next(2) * 4 * (random.NextSingle() - 0.5f) };
        if (random.Next(3) == 0)
            row = row with { Allowed = RandomBits(random, vocabulary) };
        return row;
    }

    private static uint[] RandomBits(Random random, int vocabulary)
    {
        // Of few to nearly all ids, and one at least.
        int share = random.Next(3) switch { 0 => 1, 1 => vocabulary / 2, _ => vocabulary - 1 };
        uint[] bits = new uint[(vocabulary + 31) / 32];
        for (int id = 0; id < vocabulary; id++)
            if (random.Next(vocabulary) < share)
                bits[id / 32] |= 1u << (id % 32);
        int one = random.Next(vocabulary);
        bits[one / 32] |= 1u << (one % 32);
        return bits;
    }

    private static float[] RandomLogits(Random random, int vocabulary, int kind)
    {
        float[] logits = new float[vocabulary];
        foreach (ref float logit in logits.AsSpan())
            logit = kind switch
            {
                0 => random.Next(-6, 7),
                1 => 12 * (random.NextSingle() - 0.5f),
                2 => 10 * (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5),
                3 => random.Next(5) switch { 0 => low, 1 => -float.MaxValue, 2 => float.Epsilon, 3 => -0f, _ => random.NextSingle() },
                4 => 1,
                _ => -3 * (float)Math.Log(random.NextDouble()),
            };
        if (random.Next(10) == 0) logits[random.Next(vocabulary)] = high;
        if (random.Next(15) == 0) logits[random.Next(vocabulary)] = float.NaN;
        return logits;
    }

    /// <summary>Whether the draw was far enough from a border of the golden probabilities, which have seven digits, to be checked.</summary>
    private static bool CheckDraw(double[] probabilities, double uniform, int found)
    {
        const double Border = 1e-5;
        double sum = 0;
        for (int id = 0; id < probabilities.Length; id++)
        {
            double before = sum;
            sum += probabilities[id];
            if (sum <= uniform) continue;
            if (uniform - before < Border || sum - uniform < Border) return false;
            Assert.Equal(id, found);
            return true;
        }

        return false;
    }

    /// <summary>Ids that draws of many seeds give, ascending.</summary>
    private IEnumerable<int> Chosen(SamplingParameters parameters, float[] logits)
    {
        SamplingRow[] rows = [.. Enumerable.Range(0, 48).Select(seed => new SamplingRow(parameters, (ulong)seed, [logits]))];
        return SamplingRun.CheckAgainstProcessor(device, rows)[0].Select(token => token.Id).Distinct().Order();
    }
}
