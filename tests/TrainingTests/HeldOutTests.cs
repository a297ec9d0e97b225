using System.Text.Json;
using System.Xml.Linq;
using XComposer2.Native.Devices;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using XComposer2.Native.Training;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>What is held out: its losses, its exact answers, and where they are written.</summary>
public sealed class HeldOutTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("xc2-held-out-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Losses_of_a_forward_pass_alone_are_those_of_training_and_leave_the_gradients()
    {
        using var backend = new CpuBackend(2);
        using var trainer = new Trainer(GoldenTraining.Model, TrainingRecipe.Lora with { Adapter = new AdapterSettings(4, 8) }, backend);
        PreparedSample[] samples = GoldenTraining.Samples(trainer.Config);
        double[] losses = trainer.Accumulate(samples, 1.0, Cancellation);
        double norm = trainer.Parameters.GradientNorm();
        SampleScore[] scores = trainer.Score(samples, Cancellation);
        for (int i = 0; i < samples.Length; i++)
            Assert.Equal(losses[i], scores[i].Loss, 1e-6);
        Assert.Equal(norm, trainer.Parameters.GradientNorm());
        Assert.Equal(samples.Select(sample => trainer.Score([sample], Cancellation)[0].ExactAnswers), scores.Select(score => score.ExactAnswers));
    }

    /// <summary>The engine is the witness: it decodes greedily, token by token.</summary>
    [Fact]
    public async Task Exact_answers_are_those_that_greedy_decoding_gives()
    {
        using var backend = new CpuBackend(1);
        using var trainer = new Trainer(GoldenTraining.Model, TrainingRecipe.Pretrain, backend);
        var preparer = new SamplePreparer(trainer.Config, new TrainingText(TextTokenizer.Load(GoldenTraining.Model)), trainer.Config.ContextLength);
        using XComposerEngine engine = await XComposerEngine.LoadAsync(new EngineOptions { ModelPath = GoldenTraining.Model, Device = new DeviceOptions { Kind = DeviceKind.Cpu } }, Cancellation);
        (int exact, int count) = (0, 0);
        foreach (TrainingSample sample in FirstTurns())
        {
            using ChatSession session = engine.CreateSession(new SessionOptions { PromptStyle = "train" });
            var question = new UserMessage(sample.Turns[0].Text, [.. sample.Pictures.Select(path => ImageInput.FromFile(path))]);
            string answer = "";
            await foreach (GenerationEvent next in session.SendAsync(question, new GenerationOptions { Greedy = true, RepetitionPenalty = 1 }, Cancellation))
                answer = next is GenerationCompleted completed ? completed.Result.Text : answer;
            SampleScore score = trainer.Score([preparer.Prepare(sample)], Cancellation)[0];
            Assert.Equal(1, score.Answers);
            Assert.True((answer == sample.Turns[1].Text) == (score.ExactAnswers == 1), $"sample {sample.Id}: '{answer}' for '{sample.Turns[1].Text}', {score.ExactAnswers} exact");
            (exact, count) = (exact + score.ExactAnswers, count + 1);
        }

        Assert.InRange(exact, 1, count - 1);
    }

    [Theory]
    [InlineData("111111", 2)]
    [InlineData("111011", 2)]
    [InlineData("111110", 2)]
    [InlineData("110111", 1)]
    [InlineData("011111", 1)]
    [InlineData("111101", 1)]
    [InlineData("000000", 0)]
    public void Answer_is_exact_up_to_its_end_mark(string hits, int exact)
    {
        // An answer of two tokens, its end mark 9 and a token behind it; then an answer that is empty, with a token behind it.
        const int No = TrainingText.Ignored;
        var text = new LabelledText([1, 2, 3, 4, 9, 5, 6, 9, 7], [No, No, 3, 4, 9, 5, No, 9, 7]) { EndMark = 9 };
        Assert.Equal(new SampleScore(2.5, 2, exact), SampleScore.Of(text, [.. hits.SelectMany((hit, i) => (float[])[i, hit - '0'])]));
    }

    [Fact]
    public void Run_writes_scores_and_a_curve_and_a_resumed_one_writes_the_same()
    {
        List<HeldOutScore> scores = [];
        Run("whole", scores, endAfter: int.MaxValue);
        Assert.Equal([0, 2, 4, 6, 7], scores.Select(score => score.Step));
        Assert.All(scores, score => Assert.Equal((2, 3), (score.Samples, score.Answers)));
        Assert.True(scores[^1].Loss < scores[0].Loss);
        Assert.Throws<OperationCanceledException>(() => Run("parts", [], endAfter: 3));
        Assert.Throws<OperationCanceledException>(() => Run("parts", [], endAfter: 6));
        File.WriteAllText(Path.Combine(folder, "parts", "curve.svg.0.tmp"), "torn");
        Run("parts", [], endAfter: int.MaxValue);
        Assert.Equal(Lines("whole"), Lines("parts"));
        Assert.Equal(12, Lines("whole").Length);
        Assert.Equal(File.ReadAllText(Path.Combine(folder, "whole/curve.svg")), File.ReadAllText(Path.Combine(folder, "parts/curve.svg")));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(folder, "parts"), "*.tmp"));
        using JsonDocument last = JsonDocument.Parse(File.ReadLines(Path.Combine(folder, "whole/metrics.jsonl")).Last());
        Assert.Equal((7, 3, scores[^1].ExactAnswers), (last.RootElement.GetProperty("step").GetInt32(), last.RootElement.GetProperty("answers").GetInt32(), last.RootElement.GetProperty("exact_answers").GetInt32()));
    }

    [Fact]
    public void Share_of_the_data_is_taken_from_every_group()
    {
        SampleGroup[] groups = [Group("a", 90, 3), Group("b", 20, 1)];
        (IReadOnlyList<SampleGroup> learnt, IReadOnlyList<TrainingSample> heldOut) = ConversationSource.HoldOut(groups, 0.1, seed: 5);
        Assert.Equal([81, 18], learnt.Select(group => group.Samples.Count));
        Assert.Equal([3.0, 1.0], learnt.Select(group => group.Weight));
        Assert.Equal(11, heldOut.Count);
        Assert.Equal(groups.SelectMany(group => group.Samples).Select(sample => sample.Id).Order(), learnt.SelectMany(group => group.Samples).Concat(heldOut).Select(sample => sample.Id).Order());
        Assert.Equal(heldOut.Select(sample => sample.Id), ConversationSource.HoldOut(groups, 0.1, seed: 5).HeldOut.Select(sample => sample.Id));
        Assert.Single(ConversationSource.HoldOut([Group("c", 3, 1)], 0.001, seed: 0).HeldOut);
        Assert.Throws<TrainingDataException>(() => ConversationSource.HoldOut([Group("d", 1, 1)], 0.5, seed: 0));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(30, 3)]
    [InlineData(20000, 40)]
    public void Curve_is_well_formed_and_small_whatever_the_steps(int steps, int scores)
    {
        var random = new Random(1);
        var curve = new TrainingCurve();
        RateSchedule schedule = RateSchedule.For(steps);
        for (int step = 1; step <= steps; step++)
            curve.Add(step, (3 * Math.Exp(-4.0 * step / steps)) + 0.4 + (0.3 * random.NextDouble()), 2e-4 * schedule.FactorAt(step - 1));
        for (int i = 0; i < scores; i++)
            curve.AddHeldOut(i * steps / Math.Max(1, scores - 1), (3 * Math.Exp(-4.0 * i / scores)) + 0.7, (double)i / scores);
        string svg = curve.ToSvg();
        if (Environment.GetEnvironmentVariable("XC2_CURVES") is { Length: > 0 } place)
            File.WriteAllText(Path.Combine(place, FormattableString.Invariant($"curve-{steps}.svg")), svg);
        XElement root = XElement.Parse(svg);
        Assert.Equal(scores > 0 ? 5 : 3, root.Elements().Count(element => element.Name.LocalName == "polyline"));
        Assert.DoesNotContain("NaN", svg, StringComparison.Ordinal);
        Assert.InRange(svg.Length, 500, 60_000);
    }

    private static IEnumerable<TrainingSample> FirstTurns() =>
        ConversationFile.Read(GoldenTraining.PathOf("samples.json"))
            .Where(sample => sample.Turns[0].Text.Split(ChatTemplate.Placeholder).Length - 1 == sample.Pictures.Length)
            .Select(sample => sample with { Turns = [.. sample.Turns.Take(2)] });

    private static SampleGroup Group(string name, int count, double weight) =>
        new([.. Enumerable.Range(0, count).Select(i => new TrainingSample($"{name}{i}", [new TrainingTurn(true, "x"), new TrainingTurn(false, "y")], []))], weight);

    private void Run(string name, List<HeldOutScore> scores, int endAfter)
    {
        using var backend = new CpuBackend(2);
        using var trainer = new Trainer(GoldenTraining.Model, TrainingRecipe.Lora with { Rate = 1e-3, Adapter = new AdapterSettings(4, 8, 0.05f) }, backend, seed: 5);
        using var end = new CancellationTokenSource();
        var preparer = new SamplePreparer(trainer.Config, new TrainingText(TextTokenizer.Load(GoldenTraining.Model)), trainer.Config.ContextLength);
        IReadOnlyList<TrainingSample> samples = ConversationFile.Read(GoldenTraining.PathOf("samples.json"));
        var source = new ConversationSource(preparer, [new SampleGroup(samples, 1)], new StepOptions { Steps = 7, Accumulation = 3, Seed = 2, GroupsByLength = true });
        var options = new TrainingRunOptions
        {
            OutputFolder = Path.Combine(folder, name), Steps = 7, SaveEvery = 2, EvaluateEvery = 2, HeldOut = new HeldOutSamples(preparer, [samples[0], samples[1]]).Packs,
        };
        var run = new TrainingRun(trainer, TrainingRecipe.Lora with { Rate = 1e-3, Adapter = new AdapterSettings(4, 8, 0.05f) }, source, options) { Scores = new Report<HeldOutScore>(scores.Add) };
        run.Run(new Report<TrainingStep>(step => { if (step.Step == endAfter) end.Cancel(); }), end.Token);
    }

    private string[] Lines(string name) =>
        [.. File.ReadAllLines(Path.Combine(folder, name, "metrics.jsonl")).Select(line => line[..line.IndexOf(",\"seconds\"", StringComparison.Ordinal)])];

    private sealed class Report<T>(Action<T> report) : IProgress<T>
    {
        void IProgress<T>.Report(T value) => report(value);
    }
}
