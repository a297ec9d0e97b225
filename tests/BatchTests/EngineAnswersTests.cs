using XComposer2.Native.Batch;
using XComposer2.Native.Model;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.BatchTests;

/// <summary>The runner with the demo checkpoint: many samples get the answers that they get one by one.</summary>
public sealed class EngineAnswersTests
{
    private const string Question = "Describe this image.";

    [Fact]
    public async Task Batch_gives_the_answers_of_single_chats()
    {
        string[] pictures = [.. Enumerable.Range(1, 6).Select(number => TestPaths.Repository($"tools/demo/pictures/shapes-{number}.png"))];
        GenerationOptions options = new() { Greedy = true, MaxTokens = 40 };
        await using XComposerEngine engine = await XComposerEngine.LoadAsync(
            new EngineOptions { ModelPath = TestPaths.Repository("tools/demo/checkpoint"), Device = new DeviceOptions { Kind = DeviceKind.Cpu }, Limits = new EngineLimits { Sequences = 4 } }, TestContext.Current.CancellationToken);
        string[] alone = new string[pictures.Length];
        for (int i = 0; i < pictures.Length; i++)
        {
            using ChatSession session = engine.CreateSession();
            await foreach (GenerationEvent next in session.SendAsync(new UserMessage(Question, [ImageInput.FromFile(pictures[i])]), options, TestContext.Current.CancellationToken))
                if (next is GenerationCompleted completed)
                    alone[i] = completed.Result.Text;
        }

        var answers = new EngineAnswers(engine);
        ChatTemplate template = answers.Template();
        IEnumerable<BatchSample<int>> samples = Enumerable.Range(0, 12).Select(number => new BatchSample<int>
        {
            Number = number,
            Id = $"{number}",
            Source = number % pictures.Length,
            Options = options,
            StopIds = template.StopIds,
            Open = _ => new BatchPrompt(
                template.Render(null, [new ChatTurn(Question, 1, null)]), [ImageInput.FromFile(number == 7 ? "missing.png" : pictures[number % pictures.Length])]),
        });
        ListSink sink = new();
        await new BatchRunner(answers, BatchLimits.For(4)).RunAsync(SampleList.ToAsync(samples, TestContext.Current.CancellationToken), sink, null, TestContext.Current.CancellationToken);
        Assert.Equal(12, sink.Committed);
        Assert.Equal("missing.png: no such file", sink.Results[7].Failure!.Message);
        foreach (BatchResult<int> result in sink.Results.Where(result => result.Number != 7))
            Assert.Equal(alone[result.Source], result.Answer!.Text);
        Assert.True(alone.Distinct().Count() > 1, "the pictures have different answers");
    }
}
