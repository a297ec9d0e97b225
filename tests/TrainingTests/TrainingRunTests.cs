using System.Text.Json;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using XComposer2.Native.Training;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>Whole runs: what they write, and that a run which ended early goes on to the same result.</summary>
public sealed class TrainingRunTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("xc2-training-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("pretrain", 2)]
    [InlineData("lora", 1)]
    public void Run_that_ended_twice_gives_the_same_files_bit_for_bit(string recipe, int saveEvery)
    {
        Run("whole", Recipe(recipe), saveEvery, endAfter: int.MaxValue);
        Assert.Throws<OperationCanceledException>(() => Run("parts", Recipe(recipe), saveEvery, endAfter: 2));
        Assert.Throws<OperationCanceledException>(() => Run("parts", Recipe(recipe), saveEvery, endAfter: 3));

        // What a process that is killed while it writes leaves behind.
        File.WriteAllText(Path.Combine(folder, "parts", "state-00000099.safetensors.0.tmp"), "torn");
        File.AppendAllText(Path.Combine(folder, "parts", "metrics.jsonl"), "{\"step\": 5, \"lo");
        Run("parts", Recipe(recipe), saveEvery, endAfter: int.MaxValue);
        string result = recipe == "lora" ? "adapter_model.safetensors" : "model.safetensors";
        Assert.Equal(Bytes("whole/result/" + result), Bytes("parts/result/" + result));
        Assert.Equal(Bytes("whole/state-00000006.safetensors"), Bytes("parts/state-00000006.safetensors"));
        string[] whole = Losses("whole"), parts = Losses("parts");
        Assert.Equal(6, whole.Length);
        Assert.Equal(whole, parts);
    }

    [Fact]
    public void Pretraining_leaves_the_language_model_and_its_answers_to_text_as_they_were()
    {
        Run("out", TrainingRecipe.Pretrain, 10, endAfter: int.MaxValue);
        string trained = Path.Combine(folder, "out", "result");
        using Checkpoint before = CheckpointFolder.Open(GoldenTraining.Model, new CheckpointOptions()), after = CheckpointFolder.Open(trained, new CheckpointOptions());
        Assert.Equal(before.Tensors.Select(tensor => tensor.Name), after.Tensors.Select(tensor => tensor.Name));
        (int same, int changed) = (0, 0);
        foreach (CheckpointTensor tensor in before.Tensors)
        {
            Assert.True(before.TryGet(tensor.Name, out HostTensor old) & after.TryGet(tensor.Name, out HostTensor found));
            bool isSame = SafetensorsWriter.BytesOf(old).AsSpan().SequenceEqual(SafetensorsWriter.BytesOf(found));
            bool isFrozen = ModelTensors.KindOf(tensor.Name) is not (TensorKind.Vision or TensorKind.Projector or TensorKind.PartialLora);
            Assert.True(isSame || !isFrozen, tensor.Name);
            (same, changed) = isSame ? (same + 1, changed) : (same, changed + 1);
        }

        Assert.True(changed > 80, $"{changed} tensors changed, {same} did not");
        double[] text = Losses(GoldenTraining.Model, sample => sample.Pictures == 0), pictures = Losses(GoldenTraining.Model, sample => sample.Pictures > 0);
        Assert.Equal(text, Losses(trained, sample => sample.Pictures == 0));
        Assert.NotEqual(pictures, Losses(trained, sample => sample.Pictures > 0));
    }

    [Fact]
    public void Folder_of_another_run_is_refused_by_the_setting()
    {
        Run("out", TrainingRecipe.Lora, 1, endAfter: int.MaxValue);
        var refused = Assert.Throws<TrainingDataException>(() => Run("out", TrainingRecipe.Lora with { Rate = 1e-3 }, 1, endAfter: int.MaxValue));
        Assert.Contains("settings.rate: expected 0.001, as this run has it, found 5E-05", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bad_samples_are_left_out_and_named()
    {
        var bad = new TrainingSample("broken", [new TrainingTurn(true, "<ImageHere>What?"), new TrainingTurn(false, "this")], [Path.Combine(folder, "absent.png")]);
        Assert.Throws<OperationCanceledException>(() => Run("out", TrainingRecipe.Lora, 10, endAfter: 5, bad));
        using JsonDocument state = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "out/state.json")));
        Assert.Equal(5, state.RootElement.GetProperty("step").GetInt32());
        Assert.StartsWith("sample 'broken': ", state.RootElement.GetProperty("left_out").GetProperty("6").GetString(), StringComparison.Ordinal);
        TrainingRun run = Run("out", TrainingRecipe.Lora, 10, endAfter: int.MaxValue, bad);
        KeyValuePair<long, string> left = Assert.Single(run.LeftOut);
        Assert.Equal(6, left.Key);
        Assert.StartsWith("sample 'broken': ", left.Value, StringComparison.Ordinal);
        Assert.Contains("absent.png", left.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_pass_has_each_sample_once_in_an_order_of_its_own()
    {
        var order = new SampleOrder(50, seed: 3);
        int[] first = [.. Enumerable.Range(0, 50).Select(i => order.At(i))], second = [.. Enumerable.Range(50, 50).Select(i => order.At(i))];
        Assert.Equal(Enumerable.Range(0, 50), first.Order());
        Assert.Equal(Enumerable.Range(0, 50), second.Order());
        Assert.NotEqual(first, second);
        Assert.Equal(first[7], new SampleOrder(50, seed: 3).At(7));
    }

    private static TrainingRecipe Recipe(string name) => name == "lora" ? TrainingRecipe.Lora with { Adapter = new AdapterSettings(4, 8, 0.05f) } : TrainingRecipe.Pretrain;

    private static double[] Losses(string model, Func<PreparedSample, bool> isWanted)
    {
        using var backend = new CpuBackend(2);
        using var trainer = new Trainer(model, TrainingRecipe.FineTune, backend);
        return [.. GoldenTraining.Samples(trainer.Config).Where(isWanted).Select(sample => trainer.Accumulate(sample, 1, TestContext.Current.CancellationToken))];
    }

    private TrainingRun Run(string name, TrainingRecipe recipe, int saveEvery, int endAfter, params TrainingSample[] more)
    {
        using var backend = new CpuBackend(2);
        using var trainer = new Trainer(GoldenTraining.Model, recipe, backend, seed: 5);
        using var end = new CancellationTokenSource();
        var preparer = new SamplePreparer(trainer.Config, new TrainingText(TextTokenizer.Load(GoldenTraining.Model)), trainer.Config.ContextLength);
        TrainingSample[] samples = [.. ConversationFile.Read(GoldenTraining.PathOf("samples.json")), .. more];
        var source = new ConversationSource(preparer, [new SampleGroup(samples, 1)], new StepOptions { Steps = 6, Accumulation = 3, Seed = 11 });
        var run = new TrainingRun(trainer, recipe, source, new TrainingRunOptions { OutputFolder = Path.Combine(folder, name), Steps = 6, SaveEvery = saveEvery });
        run.Run(new Steps(step => { if (step.Step == endAfter) end.Cancel(); }), end.Token);
        return run;
    }

    private byte[] Bytes(string path) => File.ReadAllBytes(Path.Combine(folder, path));

    private string[] Losses(string name) =>
        [.. File.ReadAllLines(Path.Combine(folder, name, "metrics.jsonl")).Select(line => line[..line.IndexOf(",\"seconds\"", StringComparison.Ordinal)])];

    private sealed class Steps(Action<TrainingStep> report) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => report(value);
    }
}
