using System.Text;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.Composition;

/// <summary>What article is wanted.</summary>
public sealed record ArticleRequest
{
    /// <summary>Most pictures of a user's that one article takes.</summary>
    public const int MaximumOwnPictures = 10;

    /// <summary>Most figures that may be asked for.</summary>
    public const int MaximumFigures = 60;

    /// <summary>What the model is told to write; see <see cref="ArticleInstruction"/> for one from a title, an outline and material.</summary>
    public required string Instruction { get; init; }

    /// <summary>Name of the article for a page or a file; the model does not see it.</summary>
    public string Title { get; init; } = "";

    /// <summary>Pictures to write from; they alone illustrate the article, each at most once. At most <see cref="MaximumOwnPictures"/>.</summary>
    public IReadOnlyList<ArticlePicture> OwnPictures { get; init; } = [];

    /// <summary>How many figures at most; null leaves it to the model, or is the number of own pictures where there are any; 0 is a text alone.</summary>
    public int? Figures { get; init; }

    /// <summary>The same seed gives the same article on the same device; null draws one.</summary>
    public ulong? Seed { get; init; }

    /// <exception cref="EngineException">Something is out of range.</exception>
    internal void Require()
    {
        EngineException.ThrowUnless(!string.IsNullOrWhiteSpace(Instruction), "instruction", "what to write", "an empty text");
        EngineException.ThrowUnless(OwnPictures.Count <= MaximumOwnPictures, "own pictures", $"at most {MaximumOwnPictures}", OwnPictures.Count);
        EngineException.ThrowUnless(Figures is null or (>= 0 and <= MaximumFigures), "figures", $"0 to {MaximumFigures}", Figures);
    }
}

/// <summary>An instruction made of a title, an outline and material, in the language of the title: Chinese, or else English.</summary>
public static class ArticleInstruction
{
    /// <param name="title">What it is about; not empty.</param>
    /// <param name="outline">One point a line; empty for none.</param>
    /// <param name="material">Texts to write from; may be empty.</param>
    public static string Of(string title, string outline, IReadOnlyList<string> material)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(title);
        ArgumentNullException.ThrowIfNull(outline);
        ArgumentNullException.ThrowIfNull(material);
        string[] points = outline.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string[] texts = [.. material.Select(text => text.Trim()).Where(text => text.Length > 0)];
        return IsChinese(title) ? Chinese(title.Trim(), points, texts) : English(title.Trim(), points, texts);
    }

    /// <summary>The composition demo's own words; it has none for an outline.</summary>
    private static string Chinese(string title, string[] points, string[] material)
    {
        var text = new StringBuilder($"根据以下标题：“{title}”，创作长文章，字数不少于800字。");
        if (points.Length > 0)
            text.Append($"文章大纲：{string.Join("；", points)}。");
        if (material.Length > 0)
            text.Append($"请结合以下文本素材：{string.Join('\n', material)}");
        return text.ToString();
    }

    private static string English(string title, string[] points, string[] material)
    {
        var text = new StringBuilder($"Write a short article about {title}.");
        if (points.Length > 0)
            text.Append($" Outline: {string.Join("; ", points.Select(point => point.TrimEnd('.', ';')))}.");
        if (material.Length > 0)
            text.Append($" Use this material: {string.Join('\n', material)}");
        return text.ToString();
    }

    private static bool IsChinese(string text) => text.Any(character => character is >= '\u4E00' and <= '\u9FFF' or >= '\u3400' and <= '\u4DBF');
}

/// <summary>What a model does to a section.</summary>
public enum SectionEdit
{
    /// <summary>Writes it anew, with given material.</summary>
    Rewrite,

    /// <summary>Makes it longer, with given material.</summary>
    Expand,

    /// <summary>Makes it shorter.</summary>
    Abbreviate,

    /// <summary>Writes a section before it, from an outline.</summary>
    InsertBefore,

    /// <summary>Writes a section after it, from an outline.</summary>
    InsertAfter,
}

/// <summary>A source of pictures and what articles call it.</summary>
/// <param name="Name">For the reader, without folders: the article keeps it.</param>
/// <param name="Images">Not owned.</param>
public sealed record PictureSource(string Name, IImageSource Images);
