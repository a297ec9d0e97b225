using System.Text;
using XComposer2.Native.Model;

namespace XComposer2.Native.Composition;

/// <summary>Puts a prompt together, so that a placeholder in what a user or a model wrote is not taken for the place of a picture.</summary>
internal sealed class PromptBuilder
{
    private const string HarmlessPlaceholder = "<Image Here>";

    private readonly StringBuilder text = new();
    private readonly List<ArticlePicture> pictures = [];

    public PromptBuilder Text(string content)
    {
        text.Append(content.Replace(ChatTemplate.Placeholder, HarmlessPlaceholder, StringComparison.Ordinal));
        return this;
    }

    public PromptBuilder Picture(ArticlePicture picture)
    {
        text.Append(ChatTemplate.Placeholder);
        pictures.Add(picture);
        return this;
    }

    public CompositionPrompt Build(string answerPrefix = "") => new(text.ToString(), pictures, answerPrefix);
}
