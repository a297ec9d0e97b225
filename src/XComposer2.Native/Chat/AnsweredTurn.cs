using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>An answer that is whole, before the conversation takes it.</summary>
/// <param name="Turn">For the next prompt.</param>
/// <param name="Images">Pictures of this turn alone.</param>
/// <param name="Exchange">For the history.</param>
internal sealed record AnsweredTurn(ChatTurn Turn, IReadOnlyList<ImageEmbedding> Images, ChatExchange Exchange);
