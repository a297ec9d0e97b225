using System.Text;
using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>A question of texts and pictures in any order. Pictures before all text have the place that the prompt style gives them, others stay where they are.</summary>
internal sealed class QuestionText
{
    private readonly StringBuilder text = new();
    private bool hasText, endsWithText, isInline;

    /// <summary>Pictures so far.</summary>
    public int Pictures { get; private set; }

    /// <summary>The text with a placeholder for each picture, or with none.</summary>
    public string Text => isInline ? text.ToString() : text.ToString().Replace(ChatTemplate.Placeholder, "", StringComparison.Ordinal);

    /// <summary>Neighbouring texts are lines.</summary>
    /// <exception cref="PromptException">It contains the placeholder of a picture.</exception>
    public void AddText(string added)
    {
        if (added.Contains(ChatTemplate.Placeholder, StringComparison.Ordinal))
            throw new PromptException($"{ChatTemplate.Placeholder} marks the place of a picture; send pictures as parts of the content");
        if (endsWithText)
            text.Append('\n');
        text.Append(added);
        hasText = endsWithText = true;
    }

    public void AddPicture()
    {
        isInline |= hasText;
        endsWithText = false;
        text.Append(ChatTemplate.Placeholder);
        Pictures++;
    }
}
