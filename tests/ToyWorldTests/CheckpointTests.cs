using System.Text.Json.Nodes;
using XComposer2.Demo.Checking;
using XComposer2.Demo.Mixtures;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Demo.ToyWorldTests;

/// <summary>The demo checkpoint, asked about the world.</summary>
public sealed class CheckpointTests : IAsyncLifetime
{
    // Below the smallest lead of any case.
    private const double CasesLead = 0.2;

    private static readonly string directory = TestPaths.Repository("tools/demo/checkpoint");

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("toy-world-");
    private CheckpointAnswers? checkpoint;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => checkpoint = await CheckpointAnswers.LoadAsync(directory, 2, Cancellation);

    public async ValueTask DisposeAsync()
    {
        await checkpoint!.DisposeAsync();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Most_answers_about_pictures_are_right_and_fewer_without_Partial_LoRA()
    {
        const int Asked = 100;
        IReadOnlyList<CheckpointAnswer> with = await checkpoint!.AskAsync(AccuracyReport.Samples("vision", Asked, 4), Cancellation);
        using PartialLoraRemoval removal = new(directory);
        await using CheckpointAnswers plain = await CheckpointAnswers.LoadAsync(removal.Folder, 2, Cancellation);
        IReadOnlyList<CheckpointAnswer> without = await plain.AskAsync(AccuracyReport.Samples("vision", Asked, 4), Cancellation);
        int right = with.Count(answer => answer.IsExact), rightWithout = without.Count(answer => answer.IsExact);
        TestContext.Current.TestOutputHelper?.WriteLine($"{right} of {Asked} right; without Partial LoRA {rightWithout}");
        Assert.True(right > 60 && rightWithout < right - 15, $"{right} of {Asked} right; without Partial LoRA {rightWithout}");
    }

    [Fact]
    public async Task Answers_do_not_depend_on_what_is_asked_at_the_same_time()
    {
        var samples = AccuracyReport.Samples("eval", 12, 4).Concat(AccuracyReport.Samples("choose", 12, 4)).ToList();
        IReadOnlyList<CheckpointAnswer> together = await checkpoint!.AskAsync(samples, Cancellation);
        for (int i = 0; i < samples.Count; i++)
            Assert.Equal((await checkpoint.AskAsync([samples[i]], Cancellation))[0].Result.TokenIds, together[i].Result.TokenIds);
    }

    /// <summary>The cases were made by PyTorch: answers and leads are those of the reference.</summary>
    [Fact]
    public async Task Cases_of_this_checkpoint_do_not_change()
    {
        string golden = TestPaths.Golden("demo-cases");
        foreach (string file in Directory.EnumerateFiles(golden))
            File.Copy(file, Path.Combine(folder.FullName, Path.GetFileName(file)));
        JsonArray before = Read(golden);
        CaseChanges changes = await new PublishedCases(checkpoint!, CasesLead).UpdateCasesAsync(folder.FullName, Cancellation);
        JsonArray after = Read(folder.FullName);
        Assert.Equal((before.Count, 0, 0), (changes.Kept, changes.Changed, changes.Replaced));
        for (int i = 0; i < before.Count; i++)
        {
            foreach (string field in (string[])["prompt", "images", "expected", "ids", "truth"])
                Assert.True(JsonNode.DeepEquals(before[i]![field], after[i]![field]), $"case {i}, {field}");
            Assert.Equal(before[i]!["smallest_lead"]!.GetValue<double>(), after[i]!["smallest_lead"]!.GetValue<double>(), 0.01);
        }
    }

    [Fact]
    public async Task Uncertain_cases_are_replaced_by_certain_ones()
    {
        const double Lead = 3;
        File.WriteAllText(Path.Combine(folder.FullName, "cases.json"), """[{"prompt": "Hello, how is the weather?", "images": [], "expected": "", "ids": [], "truth": "", "smallest_lead": 0}]""");
        CaseChanges changes = await new PublishedCases(checkpoint!, Lead).UpdateCasesAsync(folder.FullName, Cancellation);
        JsonNode only = Assert.Single(Read(folder.FullName))!;
        Assert.Equal((0, 1), (changes.Kept, changes.Replaced));
        Assert.True(only["smallest_lead"]!.GetValue<double>() >= Lead);
        Assert.All(only["images"]!.AsArray(), name => Assert.True(File.Exists(Path.Combine(folder.FullName, name!.GetValue<string>()))));
    }

    [Fact]
    public async Task Samples_of_the_demos_pictures_do_not_change()
    {
        string pictures = TestPaths.Repository("tools/demo/pictures"), path = Path.Combine(folder.FullName, "samples.json");
        foreach (string file in Directory.EnumerateFiles(pictures))
            File.Copy(file, Path.Combine(folder.FullName, Path.GetFileName(file)));
        CaseChanges changes = await new PublishedCases(checkpoint!, 0.5).UpdateSamplesAsync(path, Cancellation);
        Assert.Equal(0, changes.Replaced);
        Assert.Equal(File.ReadAllText(Path.Combine(pictures, "samples.json")).TrimEnd(), File.ReadAllText(path).TrimEnd());
    }

    [Fact]
    public void Chance_and_accuracy_are_reported_by_kind()
    {
        KindAccuracy accuracy = new("choose-select-4", 50, 200, 0.25, false);
        Assert.Equal("| choose-select-4 | 50 of 200 | 25.0 % ± 6.0 | 25 % |", accuracy.ToString());
        Assert.All(AccuracyReport.DefaultKinds, kind => Assert.True(ToySamples.Has(kind), kind));
        Assert.Contains("choose-select-2-alike", AccuracyReport.DefaultKinds);
    }

    private static JsonArray Read(string folder) => JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, "cases.json")))!.AsArray();
}
