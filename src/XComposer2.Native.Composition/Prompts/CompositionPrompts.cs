using System.Text;
using XComposer2.Native.Model;

namespace XComposer2.Native.Composition;

/// <summary>The published prompts of free-form composition, verbatim. They are Chinese, independent of the article's language.</summary>
internal static class CompositionPrompts
{
    /// <summary>Letters that label candidates.</summary>
    public const string Letters = "ABCDEFGHIJ";

    private const string PlacePrefix = "适合插入图像的行是", CaptionPrefix = "标题是\"", ChoicePrefix = "最合适的图是";

    /// <summary>Writes the article. An instruction that places its pictures itself is kept unchanged.</summary>
    public static CompositionPrompt Write(string instruction, IReadOnlyList<ArticlePicture> pictures)
    {
        if (pictures.Count > 0 && instruction.AsSpan().Count(ChatTemplate.Placeholder) == pictures.Count)
            return new CompositionPrompt(instruction, pictures, "");
        PromptBuilder prompt = new();
        for (int i = 0; i < pictures.Count; i++)
            prompt.Text(i == 0 ? "" : " ").Picture(pictures[i]);
        return prompt.Text(instruction).Build();
    }

    /// <param name="sections">The whole article.</param>
    /// <param name="pictures">The user's own pictures; they precede the text.</param>
    /// <param name="count">Number of places; null leaves it to the model.</param>
    public static CompositionPrompt Place(IReadOnlyList<ArticleSection> sections, IReadOnlyList<ArticlePicture> pictures, int? count)
    {
        PromptBuilder prompt = new();
        foreach (ArticlePicture picture in pictures)
            prompt.Picture(picture).Text(" ");
        string wanted = count is { } number ? FormattableString.Invariant($"{number}") : "";
        return prompt.Text($"给定文章\"{Numbered(sections)}\" 根据上述文章，选择适合插入图像的{wanted}行").Build(PlacePrefix) with { IsPenalized = pictures.Count == 0 };
    }

    /// <summary>Writes the caption of one figure. The context ends one section after its place.</summary>
    /// <param name="sections">The whole article.</param>
    /// <param name="place">The section that the figure follows.</param>
    /// <param name="earlier">Places and captions of the preceding figures, in order.</param>
    public static CompositionPrompt Caption(IReadOnlyList<ArticleSection> sections, int place, IReadOnlyList<(int Place, string Caption)> earlier)
    {
        string context = Numbered([.. sections.Take(place + 2)]);
        string past = earlier.Count == 0 ? "" : $"现在{string.Join("， ", earlier.Select(figure => $"<Seg{figure.Place}>后插入图像对应的标题是\"{figure.Caption}\""))}。";
        return new PromptBuilder().Text($"给定文章\"{context}\" {past}给出适合在<Seg{place}>后插入的图像对应的标题。").Build(CaptionPrefix) with { IsPenalized = true };
    }

    /// <summary>Chooses among candidates. Pictures chosen earlier stand at their places in the text.</summary>
    /// <param name="sections">The whole article; included up to the place.</param>
    /// <param name="place">The section that the figure follows.</param>
    /// <param name="candidates">At most ten.</param>
    public static CompositionPrompt Choose(IReadOnlyList<ArticleSection> sections, int place, IReadOnlyList<ArticlePicture> candidates)
    {
        PromptBuilder prompt = new PromptBuilder().Text("根据给定上下文和候选图像，选择合适的配图：");
        for (int i = 0; i <= place; i++)
        {
            prompt.Text(sections[i].Text + "\n");
            if (i < place && sections[i].Figure?.Picture is { } chosen)
                prompt.Picture(chosen);
        }
        prompt.Text("候选图像包括: ");
        for (int i = 0; i < candidates.Count; i++)
            prompt.Text($"{(i == 0 ? "" : "\n")}{Letters[i]}.").Picture(candidates[i]);
        return prompt.Build(ChoicePrefix);
    }

    /// <param name="sections">The whole article.</param>
    /// <param name="index">The section to edit, or the one beside the insertion.</param>
    /// <param name="edit">The edit.</param>
    /// <param name="instruction">Material or outline; ignored for an abbreviation.</param>
    public static CompositionPrompt Edit(IReadOnlyList<ArticleSection> sections, int index, SectionEdit edit, string instruction)
    {
        string text = sections[index].Text;
        string previous = index > 0 ? sections[index - 1].Text : "", next = index + 1 < sections.Count ? sections[index + 1].Text : "";
        string question = edit switch
        {
            SectionEdit.Expand => $"扩写以下段落：{text}\n基于以下素材：{instruction}",
            SectionEdit.Rewrite => $"改写以下段落：{text}\n基于以下素材：{instruction}",
            SectionEdit.Abbreviate => $"缩写以下段落：{text}",
            SectionEdit.InsertBefore => Insertion(previous, text, instruction),
            _ => Insertion(text, next, instruction),
        };
        return new PromptBuilder().Text(question).Build();
    }

    private static string Insertion(string first, string second, string outline) => $"在以下两段中插入一段。\n第一段：{first}\n第二段：{second}\n插入段的大纲：{outline}";

    private static string Numbered(IReadOnlyList<ArticleSection> sections) =>
        string.Concat(sections.Select((section, index) => FormattableString.Invariant($"<Seg{index}> {section.Text}\n")));
}

/// <summary>Builds a prompt. Placeholders inside user or model texts are escaped, so that they cannot receive a picture.</summary>
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
