using XComposer2.Native.Evaluation.Prompts;
using XComposer2.Native.Evaluation.Scoring;
using XComposer2.Native.Model;

namespace XComposer2.Native.Evaluation.Running;

/// <summary>From the decoding of a protocol to options of the engine: the most likely text, no penalties.</summary>
internal static class AnswerDecoding
{
    public static GenerationOptions Options(Decoding decoding) => new() { Greedy = true, RepetitionPenalty = 1, MaxTokens = decoding.MaximumTokens };

    /// <summary>
    /// What ends an answer. The original ends at the end of the text alone, and cuts the text at the end of the turn: what a greedy search writes behind that mark
    /// is lost in both, so it is not written.
    /// </summary>
    public static IReadOnlyList<int> StopIds(TextTokenizer tokenizer, Decoding decoding)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return tokenizer.TryFindPiece(ModelText.EndMark, out int end) && decoding.Beams > 0 ? [tokenizer.EosId, end] : [tokenizer.EosId];
    }

    /// <summary>Stands in the settings of a run.</summary>
    public static string Describe(Protocol protocol) => $"greedy, lengths of {protocol}";
}
