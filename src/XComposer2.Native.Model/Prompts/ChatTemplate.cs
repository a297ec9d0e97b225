namespace XComposer2.Native.Model;

/// <summary>Turns a conversation into prompt pieces. Immutable, safe to share between threads.</summary>
public sealed class ChatTemplate
{
    /// <exception cref="CheckpointException">The tokenizer lacks the pieces that mark turns.</exception>
    public ChatTemplate(TextTokenizer tokenizer, PromptStyle style) => throw new NotImplementedException();

    /// <summary>Ids that end an answer: end of turn and end of text.</summary>
    public IReadOnlyList<int> StopIds => throw new NotImplementedException();

    /// <param name="system">Text of the system turn; null or empty for none.</param>
    /// <param name="turns">At least one; the last one without an answer.</param>
    /// <param name="answerPrefix">Text that the answer begins with, already said; usually empty.</param>
    /// <returns>Neighbouring texts are joined; never an empty text.</returns>
    /// <exception cref="PromptException">Placeholders and pictures differ in number, or a question is empty.</exception>
    public IReadOnlyList<PromptPiece> Render(string? system, IReadOnlyList<ChatTurn> turns, string answerPrefix = "") => throw new NotImplementedException();
}
