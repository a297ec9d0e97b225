using XComposer2.Native.Batch;
using XComposer2.Native.Cli;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.BatchTests;

/// <summary>Templates, filters, shards and seeds.</summary>
public sealed class PromptTests
{
    private static readonly Dictionary<string, string> fields = new() { ["class"] = "cat", ["n"] = "3" };

    [Theory]
    [InlineData("Describe this.", "Describe this.")]
    [InlineData("Is this a {class}? {n}", "Is this a cat? 3")]
    [InlineData("{{class}} {class}", "{class} cat")]
    [InlineData("", "")]
    [InlineData("{class}{n}", "cat3")]
    public void Template_fills_fields(string template, string expected) =>
        Assert.Equal(expected, PromptTemplate.Parse(template, "--prompt").Fill(fields, "row 1"));

    [Theory]
    [InlineData("a {class", 3)]
    [InlineData("a } b", 3)]
    [InlineData("{}", 1)]
    public void Damaged_template_is_refused(string template, int at) =>
        Assert.StartsWith($"--prompt: expected the name of a field in braces at character {at}", Assert.Throws<BatchException>(() => PromptTemplate.Parse(template, "--prompt")).Message, StringComparison.Ordinal);

    [Fact]
    public void Missing_field_is_named_with_its_row() => Assert.Equal(
        "row 9: the prompt names {colour}; found {class}, {n}", Assert.Throws<BatchException>(() => PromptTemplate.Parse("{colour}", "--prompt").Fill(fields, "row 9")).Message);

    [Fact]
    public void Filters_say_why()
    {
        AnswerFilters filters = new() { MinSide = 64, MaxAspect = 3, MinLength = 5, MaxLength = 20, RejectsTruncated = true, Required = [AnswerFilters.Pattern("shows", "--match")], Rejected = [AnswerFilters.Pattern("(?i)sorry", "--reject")] };
        Assert.Equal("min-side 64: the picture is 63 x 100", filters.Refuse(new ImageHeader(ImageFormat.Png, 63, 100)));
        Assert.Equal("max-aspect 3: the picture is 100 x 301", filters.Refuse(new ImageHeader(ImageFormat.Png, 100, 301)));
        Assert.Null(filters.Refuse(new ImageHeader(ImageFormat.Png, 100, 300)));
        Assert.Equal("min-length 5: the answer has 4 characters", filters.Refuse("four", FinishReason.Stop));
        Assert.Equal("max-length 20: the answer has 21 characters", filters.Refuse(new string('a', 21), FinishReason.Stop));
        Assert.Equal("match shows", filters.Refuse("a star", FinishReason.Stop));
        Assert.Equal("reject (?i)sorry: found 'Sorry'", filters.Refuse("Sorry, it shows", FinishReason.Stop));
        Assert.StartsWith("complete", filters.Refuse("it shows a star", FinishReason.Length), StringComparison.Ordinal);
        Assert.Null(filters.Refuse("it shows a star", FinishReason.Stop));
        Assert.StartsWith("--match: ", Assert.Throws<BatchException>(() => AnswerFilters.Pattern("(?!a)b", "--match")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 10)]
    [InlineData(3, 10)]
    [InlineData(16, 5)]
    public void Shards_are_disjoint_and_complete(int count, int rows)
    {
        List<long> all = [];
        for (int index = 0; index < count; index++)
        {
            RowShard shard = new(index, count);
            long[] own = [.. Enumerable.Range(0, rows).Select(number => (long)number).Where(shard.Has)];
            Assert.Equal(own.Length, shard.CountOf(rows));
            all.AddRange(own);
        }

        Assert.Equal(Enumerable.Range(0, rows).Select(number => (long)number), all.Order());
    }

    [Fact]
    public void Seeds_of_rows_differ_and_depend_on_the_run()
    {
        HashSet<ulong> seeds = [.. Enumerable.Range(0, 10_000).Select(number => BatchJob.SeedOf(0, number)), .. Enumerable.Range(0, 10_000).Select(number => BatchJob.SeedOf(1, number))];
        Assert.Equal(20_000, seeds.Count);
        Assert.All(seeds, seed => Assert.InRange(seed, 0UL, (1UL << 53) - 1));
        Assert.Equal(BatchJob.SeedOf(7, 3), BatchJob.SeedOf(7, 3));
    }

    [Fact]
    public void Progress_is_a_line()
    {
        Assert.Equal("1,200 of 5,000, 3.10 pictures a second, 20 min left, 2 failed", BatchWatch.Describe(new BatchProgress(1200, 5000, 2, 3.1, 3.1, TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(20.4))));
        Assert.Equal("7 done, 0.50 rows a second", BatchWatch.Describe(new BatchProgress(7, null, 0, 0.5, 0, TimeSpan.FromSeconds(10), null)));
    }
}
