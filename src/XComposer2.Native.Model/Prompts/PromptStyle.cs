namespace XComposer2.Native.Model;

/// <summary>How a conversation becomes a prompt: data, one for each entry point of the original code.</summary>
public sealed record PromptStyle
{
    private const int CompositionImageSize = 224;

    /// <summary>Fine-tuning and the composition demo: what the models have seen most.</summary>
    public static PromptStyle Train { get; } = new() { Name = "train" };

    /// <summary>The published chat(), with the system text of the vision-language models; <see cref="Find(string, ModelConfig)"/> has that of each model.</summary>
    public static PromptStyle Chat { get; } = new() { Name = "chat", Bos = BosRule.EveryPart, BosTwiceWithoutPictures = true, System = SystemTexts.VisionLanguage };

    /// <summary>The published evaluation scripts.</summary>
    public static PromptStyle Eval { get; } = new() { Name = "eval", Bos = BosRule.Start, Pictures = PicturePlace.BeforePrompt };

    /// <summary>The published chat demo with its web page.</summary>
    public static PromptStyle Gradio { get; } = new() { Name = "gradio", Pictures = PicturePlace.BeforeTurn, System = SystemTexts.VisionLanguage + "\n" };

    /// <summary>All styles.</summary>
    public static IReadOnlyList<PromptStyle> All { get; } = [Chat, Train, Eval, Gradio];

    /// <summary>"train", "chat", "eval" or "gradio".</summary>
    public required string Name { get; init; }

    public BosRule Bos { get; init; } = BosRule.FirstPart;

    /// <summary>A conversation without pictures begins with one more BOS: the original writes one into the text and adds another.</summary>
    public bool BosTwiceWithoutPictures { get; init; }

    public PicturePlace Pictures { get; init; } = PicturePlace.InText;

    /// <summary>The system text where none is given; null for no system turn.</summary>
    public string? System { get; init; }

    /// <summary>The style as a model's published code has it: the chat() of the composition model (224-pixel pictures) has a system text of its own.</summary>
    /// <exception cref="PromptException">No style has this name; the message lists them.</exception>
    public static PromptStyle Find(string name, ModelConfig model)
    {
        ArgumentNullException.ThrowIfNull(model);
        PromptStyle style = Find(name);
        return ReferenceEquals(style, Chat) && model.ImageSize == CompositionImageSize ? style with { System = SystemTexts.Composition } : style;
    }

    /// <exception cref="PromptException">No style has this name; the message lists them.</exception>
    public static PromptStyle Find(string name) => All.FirstOrDefault(style => style.Name == name)
        ?? throw new PromptException($"prompt style '{name}' is not known; there are {string.Join(", ", All.Select(style => style.Name))}");
}

/// <summary>Where the begin-of-sequence token stands. A part is the text between two pictures.</summary>
public enum BosRule
{
    /// <summary>Once, at the beginning of the first part, whether or not a picture stands before it.</summary>
    FirstPart,

    /// <summary>At the beginning of every part.</summary>
    EveryPart,

    /// <summary>Once, before everything else.</summary>
    Start,
}

/// <summary>Where the pictures of a turn stand.</summary>
public enum PicturePlace
{
    /// <summary>In the user's text: at its placeholders, or before it where it has none.</summary>
    InText,

    /// <summary>Before the mark that begins the turn; placeholders only count.</summary>
    BeforeTurn,

    /// <summary>Those of all turns before the whole prompt; placeholders only count.</summary>
    BeforePrompt,
}

/// <summary>System texts of the published models.</summary>
public static class SystemTexts
{
    /// <summary>chat() of the vision-language models (vl-7b, vl-1_8b).</summary>
    public const string VisionLanguage =
        "You are an AI assistant whose name is InternLM-XComposer (浦语·灵笔).\n" +
        "- InternLM-XComposer (浦语·灵笔) is a multi-modality conversational language model that is developed by Shanghai AI Laboratory (上海人工智能实验室). It is designed to be helpful, honest, and harmless.\n" +
        "- InternLM-XComposer (浦语·灵笔) can understand and communicate fluently in the language chosen by the user such as English and 中文.\n" +
        "- InternLM-XComposer (浦语·灵笔) is capable of comprehending and articulating responses effectively based on the provided image.";

    /// <summary>chat() of the composition model (7b); its demo ends it with a line end.</summary>
    public const string Composition =
        "You are an AI assistant whose name is InternLM-XComposer (浦语·灵笔).\n" +
        "- InternLM-XComposer (浦语·灵笔) is a conversational language model that is developed by Shanghai AI Laboratory (上海人工智能实验室). It is designed to be helpful, honest, and harmless.\n" +
        "- InternLM-XComposer (浦语·灵笔) can understand and communicate fluently in the language chosen by the user such as English and 中文.";
}
