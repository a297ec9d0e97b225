using System.Text;
using XComposer2.Native.Model;

namespace XComposer2.Native.Server;

/// <summary>Log-probabilities of tokens, as OpenAI's API writes them.</summary>
internal static class TokenText
{
    // JSON has no infinity.
    private const float LeastLogProb = -9999;

    /// <summary>Null where none were asked for.</summary>
    public static LogprobsJson? Logprobs(TextTokenizer tokenizer, IReadOnlyList<TokenScore> scores, GenerationOptions options) => options.WantsLogProbs
        ? new LogprobsJson([.. scores.Select(score => Of(tokenizer, score.Id, score.LogProb) with { TopLogprobs = [.. score.Top.Select(top => Of(tokenizer, top.Id, top.LogProb))] })])
        : null;

    /// <summary>The same in the form of completions.</summary>
    /// <param name="tokenizer">Of the model.</param>
    /// <param name="scores">Of neighbouring tokens.</param>
    /// <param name="options">Say whether they were asked for.</param>
    /// <param name="offset">Characters of the answer before them.</param>
    public static CompletionLogprobsJson? CompletionLogprobs(TextTokenizer tokenizer, IReadOnlyList<TokenScore> scores, GenerationOptions options, int offset)
    {
        if (!options.WantsLogProbs)
            return null;
        List<int> offsets = [];
        List<string> tokens = [];
        foreach (TokenScore score in scores)
        {
            tokens.Add(Text(tokenizer.BytesOf(score.Id)));
            offsets.Add(offset);
            offset += tokens[^1].Length;
        }

        return new CompletionLogprobsJson(tokens, [.. scores.Select(score => Finite(score.LogProb))], [.. scores.Select(score => Top(tokenizer, score))], offsets);
    }

    private static Dictionary<string, float> Top(TextTokenizer tokenizer, TokenScore score)
    {
        var top = new Dictionary<string, float>(StringComparer.Ordinal);
        foreach (TokenAlternative alternative in score.Top)
            top.TryAdd(Text(tokenizer.BytesOf(alternative.Id)), Finite(alternative.LogProb));
        return top;
    }

    private static TokenLogprobJson Of(TextTokenizer tokenizer, int id, float logProb)
    {
        byte[] bytes = tokenizer.BytesOf(id);
        return new TokenLogprobJson(Text(bytes), Finite(logProb), [.. bytes.Select(value => (int)value)]);
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static float Finite(float logProb) => float.IsFinite(logProb) ? logProb : LeastLogProb;
}
