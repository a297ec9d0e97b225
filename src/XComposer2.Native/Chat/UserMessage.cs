namespace XComposer2.Native;

/// <summary>One turn of the user.</summary>
/// <param name="Text">May say <c>&lt;ImageHere&gt;</c> once for each picture; otherwise the pictures stand before the text.</param>
/// <param name="Images">Pictures of this turn, in order.</param>
public sealed record UserMessage(string Text, IReadOnlyList<ImageInput> Images)
{
    /// <summary>Text without a picture.</summary>
    public UserMessage(string text)
        : this(text, [])
    {
    }

    /// <summary>What the answer begins with, already said: the model goes on from there, and <see cref="GenerationResult.Text"/> begins after it.</summary>
    public string AnswerPrefix { get; init; } = "";
}
