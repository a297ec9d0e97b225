using System.Text.Json;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Answers whose logits are changed (formats, biases, penalties of occurrences) are those of the processor, alone and beside others.</summary>
public sealed class ConstrainedAnswerTests(GpuDevice device)
{
    private const string Shapes =
        """{"type":"object","properties":{"count":{"type":"integer"},"shapes":{"type":"array","items":{"enum":["circle","square","cross"]},"maxItems":3}},"required":["count","shapes"]}""";

    private static readonly string checkpoint = RepositoryPaths.Root is null ? "" : RepositoryPaths.Find("tools/demo/checkpoint");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Changed_answers_are_those_of_the_processor()
    {
        using XComposerEngine cuda = await LoadAsync(DeviceKind.Cuda), cpu = await LoadAsync(DeviceKind.Cpu);
        var greedy = new GenerationOptions { Greedy = true, RepetitionPenalty = 1f, MaxTokens = 40, LogProbs = true, TopLogProbs = 3 };
        var sampled = new GenerationOptions { Seed = 5, Temperature = 2f, TopP = 0.95f, TopK = 40, MaxTokens = 60 };
        int favourite = cpu.Tokenizer.Encode("cross")[^1];
        GenerationOptions[] each =
        [
            greedy with { Format = AnswerFormat.OfJsonSchema(Shapes) },
            sampled with { Format = AnswerFormat.OfJsonSchema(Shapes) },
            sampled with { Format = AnswerFormat.JsonObject, TopK = 0, TopP = 1 },
            greedy with { LogitBias = new Dictionary<int, float> { [favourite] = 100 }, MaxTokens = 4 },
            sampled with { LogitBias = new Dictionary<int, float> { [favourite] = 3, [cpu.Tokenizer.EosId] = -100 }, MaxTokens = 12 },
            greedy with { FrequencyPenalty = 1.5f, PresencePenalty = -0.25f },
            sampled with { PresencePenalty = 2 },
            greedy,
        ];
        List<GenerationResult> expected = [];
        foreach (GenerationOptions options in each)
            expected.Add(await AskAsync(cpu, options));
        // All at once: the constrained wait for their tokens, in the same steps as the others.
        GenerationResult[] found = await Task.WhenAll(each.Select(options => AskAsync(cuda, options)));
        for (int index = 0; index < each.Length; index++)
        {
            Assert.Equal((expected[index].Text, expected[index].FinishReason), (found[index].Text, found[index].FinishReason));
            Assert.Equal(expected[index].TokenIds, found[index].TokenIds);
            for (int token = 0; token < expected[index].LogProbs.Count; token++)
                Assert.Equal(expected[index].LogProbs[token].LogProb, found[index].LogProbs[token].LogProb, 1e-3f);
        }

        using JsonDocument first = JsonDocument.Parse(found[0].Text), second = JsonDocument.Parse(found[1].Text);
        Assert.All([first, second], document => Assert.True(document.RootElement.GetProperty("count").TryGetInt64(out _)));
        Assert.All(found[3].TokenIds, id => Assert.Equal(favourite, id));
    }

    private static async Task<GenerationResult> AskAsync(XComposerEngine engine, GenerationOptions options)
    {
        using ChatSession session = engine.CreateSession();
        await foreach (GenerationEvent next in session.SendAsync(new UserMessage("How many shapes are there?", []), options, Cancellation))
            if (next is GenerationCompleted completed)
                return completed.Result;
        throw new InvalidOperationException("an answer ended without a result");
    }

    private Task<XComposerEngine> LoadAsync(DeviceKind kind)
    {
        Assert.NotNull(device.Context);
        return XComposerEngine.LoadAsync(
            new EngineOptions
            {
                ModelPath = checkpoint, Limits = new EngineLimits { Context = 512, Sequences = 8 }, Device = new DeviceOptions { Kind = kind, Storage = Graph.DType.F32 },
            },
            Cancellation);
    }
}
