using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Evaluation.Scoring;
using XComposer2.Native.Model;

namespace XComposer2.Native.Evaluation.Running;

/// <summary>From the decoding of a protocol to options of the engine: the most likely text, no penalties.</summary>
internal static class AnswerDecoding
{
    public static GenerationOptions Options(Decoding decoding) => new() { Greedy = true, RepetitionPenalty = 1, MaxTokens = decoding.MaximumTokens, Beams = decoding.Beams };

    /// <summary>
    /// What ends an answer. The originals end at the end of the text alone, not at that of the turn, where they cut the text later: a search scores what it writes
    /// behind that mark, too. One beam does not, so it stops there.
    /// </summary>
    public static IReadOnlyList<int> StopIds(TextTokenizer tokenizer, Decoding decoding)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return decoding.Beams == 1 && tokenizer.TryFindPiece(ModelText.EndMark, out int end) ? [tokenizer.EosId, end] : [tokenizer.EosId];
    }

    /// <summary>Stands in the settings of a run.</summary>
    public static string Describe(int? beams) => beams is { } count ? $"{count} beams" : "beams of the protocol";
}
