namespace XComposer2.Demo.World;

/// <summary>Languages of the world.</summary>
public enum Language
{
    English,
    Chinese,
}

/// <summary>The words of the world.</summary>
public static class Phrases
{
    private static readonly (string English, string Chinese)[] colors =
        [("red", "红色"), ("green", "绿色"), ("blue", "蓝色"), ("yellow", "黄色"), ("purple", "紫色"), ("orange", "橙色"), ("pink", "粉色"), ("black", "黑色")];

    private static readonly (string English, string Chinese)[] forms =
        [("circle", "圆形"), ("square", "方形"), ("triangle", "三角形"), ("star", "星形"), ("cross", "十字"), ("ring", "圆环")];

    private static readonly (string English, string Chinese)[] cells =
    [
        ("at the top left", "左上"), ("at the top", "上方"), ("at the top right", "右上"), ("on the left", "左边"), ("in the center", "中间"), ("on the right", "右边"),
        ("at the bottom left", "左下"), ("at the bottom", "下方"), ("at the bottom right", "右下"),
    ];

    private static readonly (string English, string Chinese)[] numbers = [("no shapes", "零"), ("one shape", "一"), ("two shapes", "两"), ("three shapes", "三")];

    public static string Of(ShapeColor color, Language language = Language.English) => In(colors[(int)color], language);

    public static string Of(ShapeForm form, Language language = Language.English) => In(forms[(int)form], language);

    /// <summary>"at the top left".</summary>
    public static string Place(int cell, Language language = Language.English) => In(cells[cell], language);

    /// <summary>"top left".</summary>
    public static string Position(int cell) => cells[cell].English.Split("the ")[1];

    /// <summary>"two shapes", or the number alone in Chinese.</summary>
    public static string Number(int count, Language language = Language.English) => In(numbers[count], language);

    /// <summary>"a red circle".</summary>
    public static string Of(Thing thing, Language language = Language.English) => language == Language.Chinese
        ? Of(thing.Color, language) + Of(thing.Form, language)
        : $"{(thing.Color == ShapeColor.Orange ? "an" : "a")} {Of(thing.Color)} {Of(thing.Form)}";

    /// <summary>"The image shows a red circle at the top and a blue star on the right."</summary>
    public static string Describe(Scene scene, Language language = Language.English)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (language == Language.Chinese)
            return $"图中有{string.Join("，", scene.Objects.Select(each => $"{Place(each.Cell, language)}的{Of(each.Thing, language)}"))}。";
        string[] parts = [.. scene.Objects.Select(each => $"{Of(each.Thing)} {Place(each.Cell)}")];
        return $"The image shows {(parts.Length == 1 ? parts[0] : $"{string.Join(", ", parts[..^1])} and {parts[^1]}")}.";
    }

    /// <summary>"large red circle at the top, small blue star on the right".</summary>
    public static string List(Scene scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        return string.Join(", ", scene.Objects.Select(each => $"{(each.IsLarge ? "large" : "small")} {Of(each.Color)} {Of(each.Form)} {Place(each.Cell)}"));
    }

    /// <summary>A list of objects with color, shape and position.</summary>
    public static string Json(Scene scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        return $"[{string.Join(", ", scene.Objects.Select(each => $$"""{"color": "{{Of(each.Color)}}", "shape": "{{Of(each.Form)}}", "position": "{{Position(each.Cell)}}"}"""))}]";
    }

    /// <summary>The scene in words, where a picture would stand.</summary>
    public static string Told(Scene scene) => $"[{List(scene)}] ";

    private static string In((string English, string Chinese) words, Language language) => language == Language.Chinese ? words.Chinese : words.English;
}
