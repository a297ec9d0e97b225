namespace XComposer2.Native.Model;

/// <summary>How a conversation becomes a prompt: data, one for each entry point of the original code.</summary>
public sealed record PromptStyle
{
    /// <summary>Fine-tuning and the composition demo: what the models have seen most.</summary>
    public static PromptStyle Train { get; } = new() { Name = "train" };

    /// <summary>The published chat() of the vision-language models.</summary>
    public static PromptStyle Chat { get; } = new() { Name = "chat", Bos = BosRule.EveryPart, BosTwiceWithoutPictures = true, System = SystemTexts.VisionLanguage };

    /// <summary>The published evaluation scripts.</summary>
    public static PromptStyle Eval { get; } = new() { Name = "eval", Bos = BosRule.Start, Pictures = PicturePlace.BeforePrompt };

    /// <summary>The published chat demo with its web page.</summary>
    public static PromptStyle Gradio { get; } = new() { Name = "gradio", Pictures = PicturePlace.BeforeTurn, System = SystemTexts.VisionLanguage + "\n" };

    /// <summary>The default first.</summary>
    public static IReadOnlyList<PromptStyle> All { get; } = [Train, Chat, Eval, Gradio];

    /// <summary>"train", "chat", "eval" or "gradio".</summary>
    public required string Name { get; init; }

    public BosRule Bos { get; init; } = BosRule.FirstPart;

    /// <summary>A conversation without pictures begins with one more BOS: the original writes one into the text and adds another.</summary>
    public bool BosTwiceWithoutPictures { get; init; }

    public PicturePlace Pictures { get; init; } = PicturePlace.InText;

    /// <summary>The system text where none is given; null for no system turn.</summary>
    public string? System { get; init; }

    /// <exception cref="PromptException">No style has this name; the message lists them.</exception>
    public static PromptStyle Find(string name) => All.FirstOrDefault(style => style.Name == name)
        ?? throw new PromptException($"prompt style '{name}' is not known; there are {string.Join(", ", All.Select(style => style.Name))}");
}
