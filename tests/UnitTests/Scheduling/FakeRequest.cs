using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>A request to a <see cref="FakeRunner"/> that collects its tokens, and knows what they must be.</summary>
internal sealed class FakeRequest : IAnswerSink
{
    private readonly List<PromptPosition> prompt;
    private readonly ulong seed;
    private readonly int maxTokens;
    private readonly BeamSettings? beams;

    public FakeRequest(List<PromptPosition> prompt, ulong seed, int maxTokens, TimeSpan? timeout = null, BeamSettings? beams = null, CancellationToken cancellation = default)
    {
        this.beams = beams;
        this.prompt = prompt;
        this.seed = seed;
        this.maxTokens = maxTokens;
        var sampling = new SamplingRequest { Parameters = new SamplingParameters(Greedy: true, 1, 0, 1, 1), Seed = seed };
        Request = new AnswerRequest(prompt, sampling, maxTokens, this, timeout, cancellation) { Beams = beams };
    }

    public AnswerRequest Request { get; }

    public List<int> Ids { get; } = [];

    /// <summary>Told each token as it is heard.</summary>
    public Action? Heard { get; init; }

    public FinishReason? Take(in TokenChoice choice)
    {
        Heard?.Invoke();
        if (choice.Id == FakeRunner.EndMark)
            return FinishReason.Stop;
        Ids.Add(choice.Id);
        return null;
    }

    /// <summary>The answer is whole, and the one that the prompt gets alone.</summary>
    public AnswerOutcome RequireWhole()
    {
        AnswerOutcome outcome = Outcome();
        List<int> expected = beams is null ? FakeRunner.Answer(prompt, seed, maxTokens) : FakeRunner.Search(prompt, beams, maxTokens);
        Assert.Equal(expected, Ids);
        Assert.Equal(expected.Count == maxTokens ? FinishReason.Length : FinishReason.Stop, outcome.Finish);
        return outcome;
    }

    /// <summary>What was heard before the end is the beginning of that answer.</summary>
    public void RequireBeginning() => Assert.Equal(beams is null ? FakeRunner.Answer(prompt, seed, maxTokens).Take(Ids.Count) : [], Ids);

    /// <summary>A search with some beams.</summary>
    public static BeamSettings Beams(int count) => new(count, 1, EarlyStopping: false, 1.1f, [1], [FakeRunner.EndMark]);

    public AnswerOutcome Outcome()
    {
        Assert.True(Request.Outcome.IsCompleted, "the request has not ended");
        return Request.Outcome.GetAwaiter().GetResult();
    }

    /// <summary>Reproducible text, with a picture inside where wanted.</summary>
    public static List<PromptPosition> Prompt(int tokens, int start = 0, int pictures = 0)
    {
        List<PromptPosition> positions = [.. Enumerable.Range(0, tokens).Select(index => PromptPosition.Text(100 + ((start + (index * 7)) % 500)))];
        for (int index = 0; index < pictures; index++)
        {
            var picture = new PreparedPicture(new ImageContentHash(0, 0, 0, (ulong)(start + index)), 20, []);
            positions.InsertRange(Math.Min(positions.Count, 5 + (index * 40)), Enumerable.Range(0, 20).Select(row => PromptPosition.Visual(picture, row)));
        }

        return positions;
    }
}
