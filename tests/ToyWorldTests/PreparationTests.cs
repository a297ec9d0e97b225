using System.Diagnostics;
using System.Text.Json;
using XComposer2.Demo.Conversations;
using XComposer2.Demo.Mixtures;
using XComposer2.Demo.Program;
using XComposer2.Native.Model;
using XComposer2.Native.Training;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Demo.ToyWorldTests;

/// <summary>Samples as ids, labels and files.</summary>
public sealed class PreparationTests : IDisposable
{
    private static readonly string checkpoint = TestPaths.Repository("tools/demo/checkpoint");

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("toy-world-");
    private readonly ModelConfig config = ConfigOf(checkpoint);
    private readonly TextTokenizer tokenizer = TextTokenizer.Load(checkpoint);

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData("vision-alike")]
    [InlineData("told")]
    [InlineData("text")]
    [InlineData("compose")]
    [InlineData("choose-which-3")]
    public void Ids_and_labels_are_those_of_the_published_training(string kind)
    {
        ToyPreparer preparer = new(config, tokenizer);
        TrainingText published = new(tokenizer);
        for (int number = 0; number < 50; number++)
        {
            ToySample sample = ToySamples.Draw(kind, 6, number);
            LabelledText expected = published.Write(
                new TrainingSample("", [.. sample.Turns.SelectMany(turn => (TrainingTurn[])[new(true, turn.Question), new(false, turn.Answer)])], [.. sample.Pictures.Select(_ => "picture")]), config.TokensPerImage);
            LabelledText written = preparer.Write(sample);
            Assert.Equal(expected.Ids, written.Ids);
            Assert.Equal(expected.Labels, written.Labels);
        }
    }

    [Fact]
    public void Evaluation_prompts_are_written_with_the_picture_first_and_the_system_turn()
    {
        ToyPreparer preparer = new(config, tokenizer);
        for (int number = 0; number < 100; number++)
        {
            ToySample sample = ToySamples.Draw("eval", 6, number);
            LabelledText written = preparer.Write(sample);
            int pictures = sample.Pictures.Length * config.TokensPerImage;
            string whole = (sample.System.Length > 0 ? $"[UNUSED_TOKEN_146]system\n{sample.System}[UNUSED_TOKEN_145]\n" : "")
                + $"[UNUSED_TOKEN_146]user\n{sample.Turns[0].Question}[UNUSED_TOKEN_145]\n[UNUSED_TOKEN_146]assistant\n{sample.Turns[0].AnswerPrefix}";
            IReadOnlyList<int> prompt = tokenizer.Encode(whole);
            Assert.Equal([tokenizer.BosId, .. Enumerable.Repeat(TrainingText.Ignored, pictures), .. prompt], written.Ids.Take(1 + pictures + prompt.Count));
            int[] learnt = [.. written.Labels.Where(label => label != TrainingText.Ignored)];
            Assert.StartsWith(sample.Turns[0].Answer, tokenizer.Decode(learnt), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Given_beginnings_of_answers_need_not_be_learnt()
    {
        ToySample sample = ToySamples.Draw("choose-select", 6, 1);
        LabelledText written = new ToyPreparer(config, tokenizer) { LearnsPrefixes = false }.Write(sample);
        int[] learnt = [.. written.Labels.Where(label => label != TrainingText.Ignored)];
        Assert.Equal(sample.Turns[0].Answer[^1..], tokenizer.Decode(learnt)[..1]);
        Assert.Equal(4, learnt.Length);
    }

    [Fact]
    public void Pixels_are_those_of_the_drawn_pictures()
    {
        ToySample sample = ToySamples.Draw("choose-select-3", 6, 2);
        PreparedSample prepared = new ToyPreparer(config, tokenizer).Prepare(sample);
        float[] last = new float[3 * config.ImageSize * config.ImageSize];
        ImagePreprocessor.Run(sample.Pictures[^1].ToInputImage(config.ImageSize), config.ImageSize, SquareMode.Squash, last);
        Assert.Equal(sample.Pictures.Length, prepared.Pictures);
        Assert.Equal(last, prepared.Pixels[^last.Length..].ToArray());
    }

    /// <summary>A byte costs a token. The tokenizer was made before the choice among pictures and the evaluation: their fixed texts, and a number of figures, have characters that it lacks.</summary>
    [Fact]
    public void Texts_of_the_world_are_encoded_without_bytes()
    {
        HashSet<string> withBytes = [];
        SortedDictionary<string, (int Tokens, int Bytes)> most = new(StringComparer.Ordinal);
        foreach (string kind in ToySamples.Names.Except(ToySamples.GroupNames))
        {
            bool isFixedText = kind.StartsWith("eval-", StringComparison.Ordinal) || kind.EndsWith("-place", StringComparison.Ordinal)
                || ((string[])["match", "sentence", "select"]).Any(task => kind.StartsWith("choose-" + task, StringComparison.Ordinal));
            for (int number = 0; number < 40; number++)
            {
                ToySample sample = ToySamples.Draw(kind, 6, number);
                string asked = sample.System + string.Concat(sample.Turns.Select(turn => turn.Question.Replace(ToySample.Image, "", StringComparison.Ordinal) + turn.Answer));
                int bytes = Bytes(asked);
                if (bytes > 0 && !isFixedText)
                    withBytes.Add($"{kind}: {asked}");
                int tokens = tokenizer.EncodeUserText(asked).Count;
                most[kind] = most.TryGetValue(kind, out var before) && before.Tokens >= tokens ? before : (tokens, bytes);
            }
        }

        foreach ((string kind, (int tokens, int bytes)) in most.Where(each => each.Value.Bytes > 0 && (!each.Key.StartsWith("choose-", StringComparison.Ordinal) || each.Key.EndsWith("-select", StringComparison.Ordinal))))
            TestContext.Current.TestOutputHelper?.WriteLine($"{kind}: at most {tokens} tokens, {bytes} of them bytes");
        Assert.Empty(withBytes);
    }

    [Fact]
    public void Files_are_read_by_the_training()
    {
        ToySample[] samples = [.. Enumerable.Range(0, 6).Select(number => ToySamples.Draw(number % 2 == 0 ? "vision-alike" : "choose-select", 6, number)), ToySamples.Draw("eval-chartqa", 6, 1)];
        IReadOnlyList<TrainingSample> read = ConversationFile.Read(SampleFiles.Write(samples, folder.FullName));
        SamplePreparer preparer = new(config, new TrainingText(tokenizer), config.ContextLength);
        Assert.Equal(samples.Length, read.Count);
        for (int i = 0; i < read.Count; i++)
        {
            Assert.Equal(samples[i].Turns.SelectMany(turn => (string[])[turn.Question, turn.Answer]), read[i].Turns.Select(turn => turn.Text));
            Assert.Equal(samples[i].Pictures.Length, preparer.Prepare(read[i]).Pictures);
        }
    }

    [Fact]
    public void Sample_with_a_picture_is_prepared_in_well_below_a_millisecond()
    {
        ToyPreparer preparer = new(config, tokenizer);
        Mixture mixture = new("speed", [("vision", 1)]);
        for (int number = 0; number < 200; number++)
            preparer.Prepare(mixture.Sample(1, number));
        double best = double.MaxValue;
        const int Trials = 60, PerTrial = 20;
        for (int trial = 0; trial < Trials; trial++)
        {
            // Short enough to lie between two interruptions by other tests.
            long started = Stopwatch.GetTimestamp();
            for (int number = 0; number < PerTrial; number++)
                preparer.Prepare(mixture.Sample(2, number));
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalMilliseconds / PerTrial);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{best:0.000} ms a sample");
        Assert.True(best < 1, $"{best:0.000} ms a sample");
    }

    private static ModelConfig ConfigOf(string directory)
    {
        using Checkpoint opened = CheckpointFolder.Open(directory, new CheckpointOptions());
        return opened.Config;
    }

    private int Bytes(string text) => tokenizer.EncodeUserText(text).Count(id => tokenizer.BytesOf(id) is [var only] && tokenizer.TryFindPiece($"<0x{only:X2}>", out int piece) && piece == id);
}
