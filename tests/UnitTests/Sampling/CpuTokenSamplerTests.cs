using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Several answers in one sampler: a slot is as good as a sampler of its own.</summary>
public sealed class CpuTokenSamplerTests
{
    private static readonly int[] latestSlots = [3, 2, 1], seen = [3];
    private const int Vocabulary = 100;

    private static readonly SamplingParameters greedy = new(Greedy: true, 1, 0, 1, 1), sampled = new(Greedy: false, 1.5f, 40, 0.9f, 1.3f);

    [Fact]
    public void Rows_of_one_choice_are_those_of_samplers_of_their_own()
    {
        using var sampler = new CpuTokenSampler(Vocabulary, slots: 4);
        SamplingParameters[] ways = [greedy, sampled, sampled with { TopK = 0, TopP = 1 }];
        TokenSampler[] own = [.. ways.Select((way, index) => new TokenSampler(way, Vocabulary, (ulong)index))];
        for (int index = 0; index < ways.Length; index++)
            sampler.Begin(3 - index, new SamplingRequest { Parameters = ways[index], Seed = (ulong)index });
        for (int step = 0; step < 20; step++)
        {
            float[] logits = Logits(step, rows: 3);
            int[] expected = [.. own.Select((alone, row) => alone.Next(logits.AsSpan(row * Vocabulary, Vocabulary).ToArray()))];
            sampler.Choose(new FakeGraph(logits), default, [new SampleRow(0, 3), new SampleRow(1, 2), new SampleRow(2, 1)]);
            Assert.Equal(expected, sampler.Take().ToArray().Select(choice => choice.Id));
            Assert.Equal(expected, latestSlots.Select(sampler.LatestOf));
        }
    }

    [Fact]
    public void A_failure_is_of_its_own_row()
    {
        using var sampler = new CpuTokenSampler(Vocabulary, slots: 2);
        sampler.Begin(0, new SamplingRequest { Parameters = greedy });
        sampler.Begin(1, new SamplingRequest { Parameters = greedy });
        float[] logits = Logits(0, rows: 2);
        logits[7] = float.NaN;
        sampler.Choose(new FakeGraph(logits), default, [new SampleRow(0, 0), new SampleRow(1, 1)]);
        TokenChoice[] choices = sampler.Take().ToArray();
        Assert.Equal((0, "the logit of id 7 is NaN"), (choices[0].Id, choices[0].Failure));
        Assert.Null(choices[1].Failure);
        Assert.Equal(Array.IndexOf(logits, logits.AsSpan(Vocabulary).ToArray().Max()) - Vocabulary, choices[1].Id);
    }

    [Fact]
    public void An_answer_goes_on_where_another_slot_left_it()
    {
        using var sampler = new CpuTokenSampler(Vocabulary, slots: 2);
        sampler.Begin(0, new SamplingRequest { Parameters = sampled, Seed = 5 });
        var ids = new List<int>();
        for (int step = 0; step < 10; step++)
            ids.Add(Choose(0, step));
        sampler.Begin(1, new SamplingRequest { Parameters = sampled, Seed = 5, Step = 4, SeenIds = ids[..4].ToArray() });
        for (int step = 4; step < 10; step++)
            Assert.Equal(ids[step], Choose(1, step));

        int Choose(int slot, int step)
        {
            sampler.Choose(new FakeGraph(Logits(step, rows: 1)), default, [new SampleRow(0, slot)]);
            return sampler.Take()[0].Id;
        }
    }

    [Fact]
    public void Seen_ids_are_penalised_from_the_start()
    {
        using var sampler = new CpuTokenSampler(Vocabulary, slots: 1);
        float[] logits = Logits(0, rows: 1);
        int[] order = [.. Enumerable.Range(0, Vocabulary).OrderByDescending(id => logits[id])];
        sampler.Begin(0, new SamplingRequest { Parameters = greedy with { RepetitionPenalty = 1e6f }, SeenIds = order.AsMemory(0, 2) });
        sampler.Choose(new FakeGraph([.. logits]), default, [new SampleRow(0, 0)]);
        Assert.Equal(order[2], sampler.Take()[0].Id);
    }

    [Fact]
    public void Log_probabilities_are_of_the_logits_as_given()
    {
        using var sampler = new CpuTokenSampler(Vocabulary, slots: 2);
        sampler.Begin(0, new SamplingRequest { Parameters = sampled, Seed = 1, LogProbs = true, TopLogProbs = 5, SeenIds = seen });
        sampler.Begin(1, new SamplingRequest { Parameters = sampled, Seed = 1, SeenIds = seen });
        for (int step = 0; step < 10; step++)
        {
            float[] logits = Logits(step, rows: 1);
            logits[11] = logits[12] = logits.Max();
            double sum = logits.Sum(logit => Math.Exp(logit));
            sampler.Choose(new FakeGraph([.. logits, .. logits]), default, [new SampleRow(0, 0), new SampleRow(1, 1)]);
            TokenChoice[] choices = sampler.Take().ToArray();
            Assert.Equal(choices[1].Id, choices[0].Id);
            Assert.Equal((0f, 0), (choices[1].LogProb, choices[1].Top.Length));
            Assert.Equal(Math.Log(Math.Exp(logits[choices[0].Id]) / sum), choices[0].LogProb, 4);
            int[] order = [.. Enumerable.Range(0, Vocabulary).OrderByDescending(id => logits[id]).ThenBy(id => id).Take(5)];
            Assert.Equal(order, choices[0].Top.ToArray().Select(top => top.Id));
            Assert.All(choices[0].Top.ToArray(), top => Assert.Equal(Math.Log(Math.Exp(logits[top.Id]) / sum), top.LogProb, 4));
        }
    }

    [Fact]
    public void Requests_out_of_range_are_refused()
    {
        using var sampler = new CpuTokenSampler(Vocabulary, slots: 1);
        var request = new SamplingRequest { Parameters = greedy };
        Assert.Throws<ArgumentOutOfRangeException>(() => sampler.Begin(1, request));
        Assert.Throws<ArgumentOutOfRangeException>(() => sampler.Begin(0, request with { TopLogProbs = 21 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => sampler.Begin(0, request with { Step = -1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => sampler.Begin(0, request with { Parameters = sampled with { TopP = 0 } }));
        Assert.Throws<ArgumentException>(() => sampler.Begin(0, request with { SeenIds = new[] { Vocabulary } }));
        Assert.Throws<InvalidOperationException>(() => sampler.Choose(new FakeGraph(Logits(0, 1)), default, [new SampleRow(0, 0)]));
        Assert.Throws<InvalidOperationException>(() => { sampler.Take(); });
    }

    private static float[] Logits(int step, int rows)
    {
        var random = new Random(step);
        return [.. Enumerable.Range(0, rows * Vocabulary).Select(_ => (float)((random.NextDouble() * 8) - 4))];
    }

    private sealed class FakeGraph(float[] logits) : IBoundGraph
    {
        public ComputeGraph Graph => throw new NotSupportedException();

        public Span<float> Output(Tensor output) => logits;

        public Span<float> Floats(Tensor input) => throw new NotSupportedException();

        public Span<int> Integers(Tensor input) => throw new NotSupportedException();

        public void Feed(Tensor input, int row, ITokenSampler sampler, int slot) => throw new NotSupportedException();

        public void Run(RowCounts counts, ReadOnlySpan<SequenceRows> sequences, CancellationToken cancellation) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
