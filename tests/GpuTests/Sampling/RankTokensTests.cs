using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Ranked rows of the device's sampler against the processor's.</summary>
public sealed class RankTokensTests(GpuDevice device)
{
    private static readonly float low = float.NegativeInfinity;

    /// <summary>Vocabularies that fit the list of candidates (2048) and that do not; with and without a penalty; the most ids and a single one.</summary>
    [Theory]
    [InlineData(12)]
    [InlineData(2048)]
    [InlineData(2052)]
    [InlineData(92544)]
    public void Likeliest_tokens_are_those_of_the_processor(int vocabulary)
    {
        Random random = new(vocabulary);
        TokenRanking[] wanted =
        [
            new(Math.Min(vocabulary, 24), 1, []), new(1, 1.3f, [.. Enumerable.Range(0, 600).Select(_ => random.Next(vocabulary))]), new(10, 1, [3]), new(10, 1.005f, [1, 2, 2, vocabulary - 1]),
            new(Math.Min(vocabulary, TokenRanking.MaximumCount), 2, [0]),
        ];
        Check(vocabulary, [.. wanted.Select((_, row) => Row(random, vocabulary, row))], wanted);
    }

    /// <summary>The penalty moves the likeliest tokens behind others; where they are all seen, too.</summary>
    [Fact]
    public void Penalty_may_move_every_likely_token()
    {
        const int Vocabulary = 5000;
        float[] row = [.. Enumerable.Range(0, Vocabulary).Select(id => (Vocabulary - id) * 0.002f)];
        int[] first = [.. Enumerable.Range(0, 700)], all = [.. Enumerable.Range(0, Vocabulary)];
        Check(Vocabulary, [row, row, row], [new(20, 100, first), new(20, 1.5f, all), new(20, 1.0001f, first)]);
    }

    /// <summary>More tokens than the list holds are as likely as the last that is wanted.</summary>
    [Fact]
    public void Equal_logits_rank_by_their_ids()
    {
        const int Vocabulary = 5000;
        float[] equal = new float[Vocabulary], few = [.. Enumerable.Range(0, Vocabulary).Select(id => id % 1000 == 999 ? 1f : 0f)];
        Check(Vocabulary, [equal, few, equal], [new(24, 1, []), new(24, 1, []), new(24, 1.2f, [0, 5, 4999])]);
    }

    [Fact]
    public void Infinite_logits_are_told_first_or_not_at_all()
    {
        float[] one = new float[4000], none = new float[4000];
        Array.Fill(one, low);
        one[3999] = 5;
        none[7] = float.PositiveInfinity;
        Check(4000, [one, none], [new(8, 1, []), new(1, 1.5f, [7])]);
    }

    [Fact]
    public void Rows_without_numbers_fail_alone_and_samples_stand_beside_ranks()
    {
        float[][] logits = [[1, 3, 2, low], [1, float.NaN, 2, 0], [low, low, low, low], [0, 1, 0, low]];
        foreach (SamplerRun run in (SamplerRun[])[SamplerRun.OnDevice(device, 4, 4), SamplerRun.OnProcessor(4, 4)])
            using (run)
            {
                run.Run(logits);
                run.Sampler.Choose(run.Graph, run.Logits, [new SampleRow(3, 2), new SampleRow(2, 0, new TokenRanking(2, 1, [])), new SampleRow(1, 1, new TokenRanking(2, 1, [])), new SampleRow(0, 3, new TokenRanking(2, 3, [1]))]);
                TokenChoice[] found = run.Sampler.Take().ToArray();
                Assert.Equal([null, "the logit of id 1 is NaN", "every logit is -infinity", null], found.Select(choice => choice.Failure));
                Assert.Equal(1, found[0].Id);
                Assert.Equal([0, 2], found[3].Top.ToArray().Select(token => token.Id));
            }
    }

    private void Check(int vocabulary, float[][] logits, TokenRanking[] wanted)
    {
        TokenLogProb[][] expected = Rank(SamplerRun.OnProcessor(vocabulary, logits.Length), logits, wanted), found = Rank(SamplerRun.OnDevice(device, vocabulary, logits.Length), logits, wanted);
        for (int row = 0; row < logits.Length; row++)
        {
            Assert.Equal(expected[row].Select(token => token.Id), found[row].Select(token => token.Id));
            Assert.All(expected[row].Zip(found[row]), pair => Assert.Equal(pair.First.LogProb, pair.Second.LogProb, 1e-5f * (1 + Math.Abs(pair.First.LogProb))));
        }
    }

    private static TokenLogProb[][] Rank(SamplerRun backend, float[][] logits, TokenRanking[] wanted)
    {
        using SamplerRun run = backend;
        run.Run(logits);
        // Slots in another order than rows.
        run.Sampler.Choose(run.Graph, run.Logits, [.. wanted.Select((ranking, index) => new SampleRow(logits.Length - 1 - index, (index + 1) % logits.Length, ranking))]);
        return [.. run.Sampler.Take().ToArray().Select(choice => choice.Top.ToArray())];
    }

    // No two are within rounding of each other, but where a row has few values.
    private static float[] Row(Random random, int vocabulary, int kind)
    {
        int[] order = [.. Enumerable.Range(0, vocabulary)];
        random.Shuffle(order);
        return [.. order.Select(place => kind % 2 == 0 ? place * (20f / vocabulary) : place % 50 == 0 ? low : place % 97 * 0.25f)];
    }
}
