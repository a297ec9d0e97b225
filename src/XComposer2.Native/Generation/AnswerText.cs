using System.Text;
using System.Threading.Channels;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>Turns the tokens of one answer into text as they are heard, and says when it is over. Used on the engine thread until the answer has ended.</summary>
/// <param name="tokenizer">The model's.</param>
/// <param name="stopIds">End marks.</param>
/// <param name="stopTexts">The answer ends before the first of them.</param>
/// <param name="wantsScores">Log-probabilities were asked for.</param>
/// <param name="events">Told the text as it becomes certain.</param>
internal sealed class AnswerText(TextTokenizer tokenizer, IReadOnlyList<int> stopIds, IReadOnlyList<string> stopTexts, bool wantsScores, ChannelWriter<GenerationEvent> events) : IAnswerSink
{
    private readonly StreamingDecoder decoder = new(tokenizer);
    private readonly StopTextFilter filter = new(stopTexts);
    private readonly StringBuilder text = new();
    private readonly List<int> ids = [];
    private readonly List<TokenScore> scores = [];
    private int told;

    /// <summary>A stop text was reached, so that <see cref="TokenIds"/> say more than the text.</summary>
    public bool EndedByText => filter.Stopped;

    /// <summary>The stop text; null where the answer did not end with one.</summary>
    public string? StopText => filter.Found;

    /// <summary>Tokens without the end mark.</summary>
    public IReadOnlyList<int> TokenIds => ids;

    /// <summary>For each of them; empty where log-probabilities were not asked for.</summary>
    public IReadOnlyList<TokenScore> Scores => scores;

    public FinishReason? Take(in TokenChoice choice)
    {
        if (stopIds.Contains(choice.Id))
            return FinishReason.Stop;
        ids.Add(choice.Id);
        if (wantsScores)
            scores.Add(Score(choice));
        Emit(filter.Add(decoder.Add(choice.Id)));
        return filter.Stopped ? FinishReason.Stop : null;
    }

    /// <summary>The answer is over: what was held back becomes text.</summary>
    /// <returns>The whole text.</returns>
    public string Finish()
    {
        Emit(filter.Add(decoder.Finish()));
        Emit(filter.Finish());
        return text.ToString();
    }

    private static TokenScore Score(in TokenChoice choice)
    {
        var top = new TokenAlternative[choice.Top.Length];
        for (int place = 0; place < top.Length; place++)
            top[place] = new TokenAlternative(choice.Top.Span[place].Id, choice.Top.Span[place].LogProb);
        return new TokenScore(choice.Id, choice.LogProb, top);
    }

    private void Emit(string certain)
    {
        if (certain.Length == 0)
            return;
        text.Append(certain);
        events.TryWrite(new TextDelta(certain) { LogProbs = scores.Count == told ? [] : scores[told..] });
        told = scores.Count;
    }
}
