using XComposer2.Native.Model;
using XComposer2.Native.Training;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>Which samples a step has: shares of groups, like lengths, and the same ones whenever they are asked for.</summary>
public sealed class StepOrderTests
{
    private const int Size = 10;

    private static readonly TextTokenizer tokenizer = TextTokenizer.Load(GoldenTraining.Model);

    [Fact]
    public void Every_step_has_a_tenth_of_the_lighter_group()
    {
        ConversationSource source = Source([Group("a", 500, 9), Group("b", 7, 1)], 40, groupsByLength: false);
        for (int step = 0; step < 40; step++)
        {
            string[] ids = Ids(source, step);
            Assert.Equal(Size, ids.Length);
            Assert.Equal(1, ids.Count(id => id[0] == 'b'));
        }

        // 40 draws of seven samples: each of them five or six times.
        Assert.All(Enumerable.Range(0, 40).Select(step => Ids(source, step).Single(id => id[0] == 'b')).CountBy(id => id), found => Assert.InRange(found.Value, 5, 6));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Shares_hold_within_one_sample_at_each_moment(bool groupsByLength)
    {
        double[] weights = [0.5, 3, 1.2, 0.07];
        ConversationSource source = Source([.. weights.Select((weight, i) => Group($"{i}", 30, weight))], 64, groupsByLength);
        int[] taken = new int[weights.Length];
        for (int step = 0; step < 64; step++)
        {
            foreach (string id in Ids(source, step))
                taken[id[0] - '0']++;
            if (!groupsByLength || (step + 1) % 32 == 0)
                for (int i = 0; i < weights.Length; i++)
                    Assert.InRange(taken[i] - (weights[i] / weights.Sum() * Size * (step + 1)), -1, 1);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Step_has_the_same_samples_in_whatever_order_steps_are_asked_for(bool groupsByLength)
    {
        SampleGroup[] groups = [Group("a", 90, 2), Group("b", 33, 1)];
        ConversationSource first = Source(groups, 70, groupsByLength), second = Source(groups, 70, groupsByLength);
        string[][] expected = [.. Enumerable.Range(0, 70).Select(step => Ids(first, step))];
        foreach (int step in (int[])[69, 3, 40, 0, 69, 31, 32])
            Assert.Equal(expected[step], Ids(second, step));
    }

    [Fact]
    public void Samples_of_like_length_share_a_step_and_none_is_lost()
    {
        // 700 samples: two windows of 32 steps, and one of 6.
        SampleGroup[] groups = [Group("a", 700, 1)];
        ConversationSource plain = Source(groups, 70, groupsByLength: false), grouped = Source(groups, 70, groupsByLength: true);
        Assert.Equal(groups[0].Samples.Select(sample => sample.Id).Order(), Enumerable.Range(0, 70).SelectMany(step => Ids(grouped, step)).Order());
        (double apart, double together) = (Spread(plain), Spread(grouped));
        Assert.True(together * 5 < apart, $"{together:F1} tokens between the longest and the shortest sample of a step, {apart:F1} without groups");
        double[] means = [.. Enumerable.Range(0, 32).Select(step => Lengths(grouped, step).Average())];
        Assert.NotEqual(means.Order(), means);

        static double Spread(ConversationSource source) => Enumerable.Range(0, 70).Average(step => Lengths(source, step).Max() - Lengths(source, step).Min());
    }

    private static ConversationSource Source(IReadOnlyList<SampleGroup> groups, int steps, bool groupsByLength)
    {
        using Checkpoint checkpoint = CheckpointFolder.Open(GoldenTraining.Model, new CheckpointOptions());
        var preparer = new SamplePreparer(checkpoint.Config, new TrainingText(tokenizer), checkpoint.Config.ContextLength);
        return new ConversationSource(preparer, groups, new StepOptions { Steps = steps, Accumulation = Size, Seed = 4, GroupsByLength = groupsByLength });
    }

    private static SampleGroup Group(string name, int count, double weight)
    {
        var random = new Random(count);
        return new SampleGroup(
            [.. Enumerable.Range(0, count).Select(i => new TrainingSample($"{name}{i}", [new TrainingTurn(true, "x"), new TrainingTurn(false, new string('y', random.Next(1, 60)))], []))], weight);
    }

    private static string[] Ids(ConversationSource source, int step) => [.. source.SamplesOf(step, TestContext.Current.CancellationToken).Samples.Select(sample => sample.Id)];

    private static int[] Lengths(ConversationSource source, int step) =>
        [.. source.SamplesOf(step, TestContext.Current.CancellationToken).Samples.Select(sample => sample.Text.Ids.Count)];
}
