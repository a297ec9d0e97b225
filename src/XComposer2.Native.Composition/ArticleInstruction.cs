using System.Text;

namespace XComposer2.Native.Composition;

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
