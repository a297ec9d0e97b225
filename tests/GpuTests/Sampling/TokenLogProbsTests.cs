using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class TokenLogProbsTests(GpuDevice device)
{
    private static readonly float low = float.NegativeInfinity, high = float.PositiveInfinity;

    /// <summary>Vocabularies that fit the list of candidates (2048) and that do not.</summary>
    [Theory]
    [InlineData(2, 3)]
    [InlineData(31, 7)]
    [InlineData(1280, 64)]
    [InlineData(2048, 9)]
    [InlineData(2049, 8)]
    [InlineData(5000, 31)]
    [InlineData(92544, 2)]
    public void Log_probabilities_are_those_of_the_logits(int vocabulary, int rows)
    {
        Random random = new(vocabulary);
        float[][] logits = [.. Enumerable.Range(0, rows).Select(row => Enumerable.Range(0, vocabulary).Select(_ => Logit(random, row % 4)).ToArray())];
        Check(logits, [.. logits.Select(_ => random.Next(vocabulary))], row => Math.Min(vocabulary, row * 7 % (TokenLogProbs.MaxLikely + 1)));
    }

    /// <summary>Of equal logits the lower ids go first, also where there are more than the list of candidates holds.</summary>
    [Fact]
    public void Of_equal_logits_the_lower_ids_are_the_likeliest()
    {
        float[] equal = new float[5000], two = [.. Enumerable.Range(0, 5000).Select(id => id % 1000 == 999 ? 1f : 0f)];
        Check([equal, two], [4999, 0], _ => TokenLogProbs.MaxLikely);
    }

    [Fact]
    public void Infinite_logits_have_no_share_or_all_of_it()
    {
        Check([[low, 1, low, 2], [low, low, low, 3], [0, high, high, low]], [1, 3, 2], _ => 4);
        Check([[.. Enumerable.Repeat(low, 4999), 5]], [4999], _ => 20);
    }

    [Fact]
    public void A_row_of_no_numbers_has_none_and_disturbs_no_other()
    {
        (LogProbResult[] results, _) = Run([[1, float.NaN, 2], [low, low, low], [1, 1, low]], [0, 0, 1], _ => 3);
        Assert.Equal([new LogProbResult(0, 0), new LogProbResult(0, 0)], results[..2]);
        Assert.Equal(2, results[2].Likely);
        Assert.Equal(-Math.Log(2), results[2].LogProb, 1e-6);
    }

    private void Check(float[][] logits, int[] ids, Func<int, int> likely)
    {
        (LogProbResult[] results, LikelyToken[][] tokens) = Run(logits, ids, likely);
        for (int row = 0; row < logits.Length; row++)
        {
            float[] given = logits[row];
            double largest = given.Max(), sum = given.Sum(logit => logit == largest ? 1 : Math.Exp(logit - largest));
            Near(ids[row], results[row].LogProb);
            int[] expected = [.. Enumerable.Range(0, given.Length).Where(id => given[id] > low).OrderByDescending(id => given[id]).ThenBy(id => id).Take(likely(row))];
            Assert.Equal(expected.Length, results[row].Likely);
            Assert.Equal(expected, tokens[row][..expected.Length].Select(token => token.Id));
            foreach (LikelyToken token in tokens[row][..expected.Length])
                Near(token.Id, token.LogProb);
            Assert.All(tokens[row][expected.Length..], token => Assert.Equal(new LikelyToken(-1, -1), token));

            void Near(int id, float found)
            {
                double value = given[id] == largest ? -Math.Log(sum) : given[id] - largest - Math.Log(sum);
                if (double.IsInfinity(value))
                {
                    Assert.Equal(value, found);
                    return;
                }

                // Each of the difference, the logarithm and their difference is rounded once; a weight is cut to 45 bits, the sum rounded.
                double difference = given[id] == largest ? 0 : Math.Abs(given[id] - largest);
                double bound = (4 * Accuracy.Rounding(DType.F32) * (1 + difference + Math.Log(sum))) + (given.Length * Math.Pow(2, -44));
                Assert.True(Math.Abs(value - found) <= bound, $"row {row}, id {id}: expected {value} within {bound}, found {found}");
            }
        }
    }

    /// <summary>Logits, answers and results each in another order.</summary>
    private (LogProbResult[] Results, LikelyToken[][] Likely) Run(float[][] logits, int[] ids, Func<int, int> likely)
    {
        int rows = logits.Length, vocabulary = logits[0].Length;
        TokenLogProbs kernel = new(vocabulary);
        using DeviceArray<float> values = device.Upload<float>([.. logits.Reverse().SelectMany(row => row)]);
        using DeviceArray<int> chosen = device.Upload<int>([.. Enumerable.Range(0, rows).Select(slot => ids[(slot + 1) % rows])]);
        using PinnedMemory results = PinnedMemory.Allocate(device.Context, (long)rows * sizeof(long));
        using PinnedMemory tokens = PinnedMemory.Allocate(device.Context, (long)rows * TokenLogProbs.MaxLikely * sizeof(long));
        results.Span.AsSpan<LogProbResult>().Fill(new LogProbResult(-1, -1));
        tokens.Span.AsSpan<LikelyToken>().Fill(new LikelyToken(-1, -1));
        using DeviceArray<byte> maxima = device.Allocate<byte>(checked((int)(rows * kernel.Cut.MaximaBytes)));
        using DeviceArray<byte> parts = device.Allocate<byte>(checked((int)(rows * kernel.Cut.PartBytes)));
        using DeviceArray<uint> arrivals = device.Upload<uint>(new uint[rows]);
        TokenLogProbsArguments arguments = new()
        {
            Maxima = new(maxima.Address), Parts = new(parts.Address), Arrivals = new(arrivals.Address), Logits = new(values.Address), Ids = new(chosen.Address), Results = results.DeviceSpan.Pointer, Likely = tokens.DeviceSpan.Pointer,
        };
        for (int row = 0; row < rows; row++)
            arguments.Rows[row] = new LogProbRow(rows - 1 - row, (row + rows - 1) % rows, (row + 2) % rows, likely(row));
        device.Run(kernel, kernel.Geometry(rows), arguments);
        return (
            [.. Enumerable.Range(0, rows).Select(row => results.Span.AsSpan<LogProbResult>()[(row + 2) % rows])],
            [.. Enumerable.Range(0, rows).Select(row => tokens.Span.AsSpan<LikelyToken>().Slice((row + 2) % rows * TokenLogProbs.MaxLikely, TokenLogProbs.MaxLikely).ToArray())]);
    }

    private static float Logit(Random random, int kind) => kind switch
    {
        0 => random.Next(-6, 7),
        1 => 12 * (random.NextSingle() - 0.5f),
        2 => 10 * (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5),
        _ => random.Next(5) switch { 0 => low, 1 => -float.MaxValue, 2 => float.Epsilon, 3 => -0f, _ => random.NextSingle() },
    };
}
