using XComposer2.Native.Composition;

namespace XComposer2.Native.UnitTests;

/// <summary>Sample articles.</summary>
internal static class SampleArticle
{
    public static ArticlePicture Red { get; } = ArticlePicture.Of(new("red", "red.png", "A red square", TestPicture.Png(250, 10, 10, 64)), "gallery");

    public static Article Of(params string[] sections) => new() { Instruction = "Write.", Sections = [.. sections.Select(text => new ArticleSection(text))] };

    public static ArticleSection Illustrated(string text, string caption, ArticlePicture picture) => new(text, Figure(caption, picture));

    public static ArticleFigure Figure(string caption, ArticlePicture picture) => new() { Caption = caption, Candidates = [picture], ChosenIndex = 0 };

    /// <summary>Texts that try to become markup.</summary>
    public static string[] Hostile { get; } =
    [
        "<script>alert(1)</script>",
        "</style><script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "[click](javascript:alert(1))",
        "[click]: javascript:alert(1)",
        "![x](https://tracker.example/pixel.png)",
        "<https://tracker.example>",
        "<img src=\"../../etc/passwd\">",
        "&lt;script&gt; &#60;b&#62;",
        "```html",
        "~~~",
        "    indented",
        "> quoted",
        "| a | b |",
        "$$\\input{/etc/passwd}$$",
        "\\[x\\](y) \\",
        "# <b>heading</b> ##",
        "- <i>item</i>",
        "1. [item](data:text/html,x)",
        "**<u>strong</u>**",
        "*[x](y)*",
        "-->]]>{{7*7}}<?php ?>",
        "a\u0000b\u001b[31m\u202Ec\uD800d",
        "<!-- ",
        "[^1]: note",
        "+ plus",
        "= equals",
        "2024. A year",
    ];
}
