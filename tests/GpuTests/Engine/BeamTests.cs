using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;
using XComposer2.Native.UnitTests;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Beam search through the engine's scheduler, cache and sampler, on the device and on the processor.</summary>
public sealed class BeamTests(GpuDevice device)
{
    private const int Slots = 16;
    private const float Tolerance = 1e-4f;

    private static readonly EngineSizes sizes = new(Slots, PromptLength: 511, ContextLength: 1024, CachePages: 1024, Pictures: 1, KeptPictures: 1, PieceTokens: 64, StepTokens: 512);

    /// <summary>All cases of a toy model are asked at once, several beside each other.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Searches_find_what_transformers_finds(bool isDevice)
    {
        BeamCases all = BeamCases.Read(RepositoryPaths.Find("tests/golden/beam/cases.json"));
        int found = 0, widest = 0;
        foreach (IGrouping<int, BeamCase> vocabulary in all.Cases.GroupBy(known => all.Models[known.Model].Vocab))
        {
            using SamplerRun run = isDevice ? SamplerRun.OnDevice(device, BeamToyRunner.Columns(vocabulary.Key), Slots) : SamplerRun.OnProcessor(BeamToyRunner.Columns(vocabulary.Key), Slots);
            foreach (IGrouping<(string, int), BeamCase> group in vocabulary.GroupBy(known => (known.Model, known.Start.Length)))
            {
                var runner = new BeamToyRunner(run, all.Models[group.Key.Item1], group.Key.Item2, runsAhead: isDevice);
                using var scheduler = new Scheduler(runner, sizes);
                (BeamCase Case, Heard Heard, AnswerRequest Request)[] asked = [.. group.Select(known => Ask(scheduler, known))];
                while (scheduler.HasWork)
                    scheduler.Iterate();
                foreach ((BeamCase known, Heard heard, AnswerRequest request) in asked)
                {
                    AnswerOutcome outcome = await request.Outcome;
                    Assert.True(known.Answer.SequenceEqual(heard.Ids), $"case {known.Id}: expected {string.Join(' ', known.Answer)}, found {string.Join(' ', heard.Ids)}");
                    Assert.Equal(known.EosAppended ? FinishReason.Stop : FinishReason.Length, outcome.Finish);
                    Assert.Equal((float)known.Score, (float)request.Search!.Search.Best.Score, Tolerance);
                    found++;
                }

                widest = Math.Max(widest, runner.WidestStep);
            }
        }

        Assert.Equal(144, found);
        Assert.True(widest > 8, "several searches share a step");
    }

    /// <summary>In F32, as <see cref="ConversationTests"/>: pages of beams are copied and reordered on the device.</summary>
    [Fact]
    public async Task Demo_answers_are_those_of_the_processor()
    {
        Assert.NotNull(device.Context);
        string[] found = [await AskAsync(DeviceKind.Cuda), await AskAsync(DeviceKind.Cpu)];
        Assert.Equal(found[1], found[0]);
        Assert.NotEmpty(found[0]);
    }

    private static async Task<string> AskAsync(DeviceKind kind)
    {
        var options = new EngineOptions
        {
            ModelPath = RepositoryPaths.Find("tools/demo/checkpoint"),
            Limits = new EngineLimits { Context = 512, CacheBytes = 8 << 20, PromptPiece = 64 },
            Device = new DeviceOptions { Kind = kind, Storage = kind == DeviceKind.Cuda ? DType.F32 : null },
        };
        await using XComposerEngine engine = await XComposerEngine.LoadAsync(options, TestContext.Current.CancellationToken);
        await using ChatSession session = engine.CreateSession();
        var message = new UserMessage("Describe this image.", [ImageInput.FromFile(RepositoryPaths.Find("tools/demo/pictures/shapes-1.png"))]);
        GenerationResult? result = null;
        await foreach (GenerationEvent next in session.SendAsync(message, new GenerationOptions { Beams = 3, RepetitionPenalty = 1.1f, MaxTokens = 14 }, TestContext.Current.CancellationToken))
            result = (next as GenerationCompleted)?.Result ?? result;
        return $"{string.Join(' ', result!.TokenIds)}, {result.Score:f3}";
    }

    private static (BeamCase Case, Heard Heard, AnswerRequest Request) Ask(Scheduler scheduler, BeamCase known)
    {
        var heard = new Heard();
        var request = new AnswerRequest([.. known.Start.Select(PromptPosition.Text)], new SamplingRequest { Parameters = new SamplingParameters(true, 1, 0, 1, 1) }, known.MaxTokens, heard, null, CancellationToken.None)
        {
            Beams = known.Settings,
        };
        scheduler.Add(request);
        return (known, heard, request);
    }

    private sealed class Heard : IAnswerSink
    {
        public List<int> Ids { get; } = [];

        public FinishReason? Take(in TokenChoice choice)
        {
            Ids.Add(choice.Id);
            return null;
        }
    }
}
