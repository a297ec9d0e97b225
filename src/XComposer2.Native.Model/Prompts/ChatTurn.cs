namespace XComposer2.Native.Model;

/// <summary>A question and, but for the last one, its answer.</summary>
/// <param name="User">May say <c>&lt;ImageHere&gt;</c> once for each picture; otherwise the pictures stand before the text.</param>
/// <param name="ImageCount">Pictures of this turn.</param>
/// <param name="AnswerIds">Generated ids without the end mark; null where the answer is wanted.</param>
public sealed record ChatTurn(string User, int ImageCount, IReadOnlyList<int>? AnswerIds);
