using System.Text;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition;

/// <summary>The article to write.</summary>
public sealed record ArticleRequest
{
    /// <summary>Maximum number of the user's own pictures.</summary>
    public const int MaximumOwnPictures = 10;

    /// <summary>Maximum number of requested figures.</summary>
    public const int MaximumFigures = 60;

    /// <summary>Number of figures by default, as on the page of the original demo.</summary>
    public const int DefaultFigures = 6;

    /// <summary>Value of <see cref="Figures"/> that leaves their number to the model.</summary>
    public const int AutomaticFigures = -1;

    /// <summary>Instruction for the model; <see cref="ArticleInstruction"/> makes one from a title, an outline and material.</summary>
    public required string Instruction { get; init; }

    /// <summary>Title for a page or a file; not sent to the model.</summary>
    public string Title { get; init; } = "";

    /// <summary>Pictures to write about and to illustrate the article with, each at most once. At most <see cref="MaximumOwnPictures"/>.</summary>
    public IReadOnlyList<ArticlePicture> OwnPictures { get; init; } = [];

    /// <summary>How pictures found for the article are stored. Own pictures are prepared by the caller.</summary>
    public PictureOptions Pictures { get; init; } = PictureOptions.Default;

    /// <summary>Maximum number of figures. Null: the number of own pictures, or <see cref="DefaultFigures"/> without any; <see cref="AutomaticFigures"/>: the model
    /// decides; 0: text only.</summary>
    public int? Figures { get; init; }

    /// <summary>The same seed gives the same article on the same device; null draws a seed.</summary>
    public ulong? Seed { get; init; }

    /// <exception cref="EngineException">A value is out of range.</exception>
    internal void Require()
    {
        EngineException.ThrowUnless(!string.IsNullOrWhiteSpace(Instruction), "instruction", "a text", "an empty text");
        EngineException.ThrowUnless(OwnPictures.Count <= MaximumOwnPictures, "own pictures", $"at most {MaximumOwnPictures}", OwnPictures.Count);
        Pictures.Require();
        EngineException.ThrowUnless(Figures is null or AutomaticFigures or (>= 0 and <= MaximumFigures), "figures", $"0 to {MaximumFigures}", Figures);
    }
}

/// <summary>Builds an instruction from a title, an outline and material, in the language of the title: Chinese or English.</summary>
public static class ArticleInstruction
{
    // As the figures of the paper ask.
    private const string PublishedPrompt = "Please write a blog based on the title: {title}";

    /// <param name="title">Subject; not empty.</param>
    /// <param name="outline">One point per line; empty for none.</param>
    /// <param name="material">Source texts; may be empty.</param>
    /// <param name="englishPrompt">How to ask for an English article, with <c>{title}</c> in the place of the title; null for the published wording. A model may have
    /// its own (<see cref="ArticleComposer.EnglishPrompt"/>).</param>
    /// <exception cref="ArgumentException">The title is empty.</exception>
    public static string Of(string title, string outline, IReadOnlyList<string> material, string? englishPrompt = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(title);
        ArgumentNullException.ThrowIfNull(outline);
        ArgumentNullException.ThrowIfNull(material);
        string[] points = outline.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string[] texts = [.. material.Select(text => text.Trim()).Where(text => text.Length > 0)];
        return IsChinese(title) ? Chinese(title.Trim(), points, texts) : English(englishPrompt ?? PublishedPrompt, title.Trim(), points, texts);
    }

    /// <summary>The wording of the composition demo, which has none for an outline.</summary>
    private static string Chinese(string title, string[] points, string[] material)
    {
        var text = new StringBuilder($"根据以下标题：“{title}”，创作长文章，字数不少于800字。");
        if (points.Length > 0)
            text.Append($"文章大纲：{string.Join("；", points)}。");
        if (material.Length > 0)
            text.Append($"请结合以下文本素材：{string.Join('\n', material)}");
        return text.ToString();
    }

    private static string English(string prompt, string title, string[] points, string[] material)
    {
        var text = new StringBuilder(prompt.Replace("{title}", title, StringComparison.Ordinal));
        if (points.Length + material.Length > 0 && !".?!".Contains(text[^1], StringComparison.Ordinal))
            text.Append('.');
        if (points.Length > 0)
            text.Append($" Outline: {string.Join("; ", points.Select(point => point.TrimEnd('.', ';')))}.");
        if (material.Length > 0)
            text.Append($" Use this material: {string.Join('\n', material)}");
        return text.ToString();
    }

    private static bool IsChinese(string text) => text.Any(character => character is >= '\u4E00' and <= '\u9FFF' or >= '\u3400' and <= '\u4DBF');
}

/// <summary>An edit of a section by the model.</summary>
public enum SectionEdit
{
    /// <summary>Rewrites it with the given material.</summary>
    Rewrite,

    /// <summary>Expands it with the given material.</summary>
    Expand,

    /// <summary>Shortens it.</summary>
    Abbreviate,

    /// <summary>Inserts a section before it, from an outline.</summary>
    InsertBefore,

    /// <summary>Inserts a section after it, from an outline.</summary>
    InsertAfter,
}

/// <summary>A picture source and its name in articles.</summary>
/// <param name="Name">Name for the reader, without folders; stored in the article.</param>
/// <param name="Images">Not owned.</param>
public sealed record PictureSource(string Name, IImageSource Images);
