namespace XComposer2.Native.Runtime;

/// <summary>How the next token is chosen from the logits.</summary>
/// <param name="Greedy">The most likely token; only the repetition penalty applies.</param>
/// <param name="Temperature">Over 0.</param>
/// <param name="TopK">0 keeps all.</param>
/// <param name="TopP">Over 0, at most 1.</param>
/// <param name="RepetitionPenalty">Over 0; 1 is none.</param>
public readonly record struct SamplingParameters(bool Greedy, float Temperature, int TopK, float TopP, float RepetitionPenalty);
