namespace XComposer2.Native.Evaluation.Prompts;

/// <summary>Whose prompts, decoding and scoring are used, where the two sources differ.</summary>
internal enum Protocol
{
    /// <summary>VLMEvalKit, as of its wrapper of the model.</summary>
    VlmEvalKit,

    /// <summary>The evaluation folder of the original repository.</summary>
    Original,
}

/// <summary>Protocols as command lines and files name them.</summary>
internal static class ProtocolNames
{
    public static string Of(Protocol protocol) => protocol == Protocol.Original ? "original" : "vlmevalkit";

    /// <summary>Null for another word.</summary>
    public static Protocol? Find(string? name) => name switch
    {
        "original" => Protocol.Original,
        "vlmevalkit" => Protocol.VlmEvalKit,
        _ => null,
    };
}

/// <summary>How answers are generated.</summary>
/// <param name="Beams">Beams of the search.</param>
/// <param name="MaximumTokens">Longest answer in tokens.</param>
internal readonly record struct Decoding(int Beams, int MaximumTokens)
{
    /// <summary>The most that any prompt is searched with.</summary>
    public const int MostBeams = 5;

}

/// <summary>What is asked for one sample.</summary>
/// <param name="Text">The prompt behind the picture, with its marks of turns, to the byte.</param>
/// <param name="Decoding">How the answer is generated.</param>
/// <param name="PadsPicture">Whether black bars make the picture square first.</param>
internal sealed record EvaluationPrompt(string Text, Decoding Decoding, bool PadsPicture);
