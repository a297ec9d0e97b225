namespace XComposer2.Native;

/// <summary>One finished turn of a conversation.</summary>
/// <param name="Question">What was asked.</param>
/// <param name="Answer">What was answered.</param>
public sealed record ChatExchange(UserMessage Question, GenerationResult Answer);
