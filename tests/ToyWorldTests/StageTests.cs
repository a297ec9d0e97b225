using XComposer2.Demo.Mixtures;
using XComposer2.Demo.Training;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Training;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Demo.ToyWorldTests;

/// <summary>The stages of the demo's training.</summary>
public sealed class StageTests : IDisposable
{
    private static readonly string checkpoint = TestPaths.Repository("tools/demo/checkpoint");

    private readonly string folder = Directory.CreateTempSubdirectory("xc2-stages-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Kinds_of_all_stages_are_known()
    {
        foreach (DemoStage stage in DemoStages.All)
            foreach ((string kind, _) in stage.Mixture.Parts)
                Assert.True(ToySamples.Has(kind), $"{stage.Name}: {kind}");
    }

    [Fact]
    public void A_step_of_each_stage_trains_what_its_recipe_says_and_leaves_a_checkpoint()
    {
        List<string> lines = [];
        new DemoTraining(folder, checkpoint, layers: 2, threads: 2, seed: 3, share: 0, lines.Add).Run(null, TestContext.Current.CancellationToken);
        using Checkpoint start = Open("start"), vision = Open("vision/result"), copy = Open("copy/result"), language = Open("language/result"), pretrain = Open("pretrain/result"), sft = Open("sft/result");
        Assert.Equal(2, sft.Config.Decoder.LayerCount);
        Assert.Equal(["Vision"], Changed(start, vision));
        Assert.Equal(["Attention", "Embedding", "FeedForward", "Head", "Norm"], Changed(vision, copy));
        Assert.Equal(["Attention", "Embedding", "FeedForward", "Head", "Norm"], Changed(copy, language));
        Assert.Equal(["PartialLora", "Projector", "Vision"], Changed(language, pretrain));
        Assert.Equal(["Attention", "Embedding", "FeedForward", "Head", "Norm", "PartialLora", "Projector", "Vision"], Changed(pretrain, sft));
        Assert.NotEmpty(lines);

        Checkpoint Open(string name) => CheckpointFolder.Open(Path.Combine(folder, name), new CheckpointOptions());
    }

    [Fact]
    public void Samples_of_a_step_are_the_same_each_time()
    {
        using Checkpoint known = CheckpointFolder.Open(checkpoint, new CheckpointOptions());
        var preparer = new ToyPreparer(known.Config, TextTokenizer.Load(checkpoint));
        StepSamples[] drawn = [.. Enumerable.Range(0, 2).Select(_ => new MixtureSource(DemoStages.All[1].Mixture, preparer, 5, 9).SamplesOf(4, TestContext.Current.CancellationToken))];
        Assert.Equal(5, drawn[0].Samples.Count);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(drawn[0].Samples[i].Text.Ids, drawn[1].Samples[i].Text.Ids);
            Assert.Equal(drawn[0].Samples[i].Pixels.ToArray(), drawn[1].Samples[i].Pixels.ToArray());
        }
    }

    private static string[] Changed(Checkpoint before, Checkpoint after)
    {
        SortedSet<string> kinds = new(StringComparer.Ordinal);
        foreach (ExpectedTensor expected in ModelTensors.Expected(after.Config))
        {
            Assert.True(before.TryGet(expected.Name, out HostTensor first) & after.TryGet(expected.Name, out HostTensor second), expected.Name);
            if (!HostTensorValues.ToFloats(first).AsSpan().SequenceEqual(HostTensorValues.ToFloats(second)))
                kinds.Add(expected.Kind.ToString());
        }

        return [.. kinds];
    }
}
