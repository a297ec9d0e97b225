using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;

namespace XComposer2.Native.UnitTests;

/// <summary>Pictures for tests of composition.</summary>
internal static class CompositionPictures
{
    private static readonly string[] Files = ["000-0.png", "000-1.png", "000-2.png", "000-3.png", "000-4.png", "001-0.png", "001-1.png", "002-0.png"];

    public static byte[] Bytes(int index) => File.ReadAllBytes(TestPaths.Golden("demo-cases/" + Files[index]));

    public static ArticlePicture Own(int index) => ArticlePicture.Own($"folder/own-{index}.png", Bytes(index));

    public static ImageCandidate Found(int index, string caption = "") => new($"id-{index}", $"{index}.png", caption, Bytes(index));

    /// <summary>A source named "shelf" with the first pictures.</summary>
    public static PictureSource Shelf(int count) => new("shelf", new ShelfSource([.. Enumerable.Range(0, count).Select(index => Found(index))]));

    public static Article Article(params string[] sections) => new() { Instruction = "write", Sections = [.. sections.Select(text => new ArticleSection(text))] };

    public static ArticleFigure Shown(params int[] pictures) =>
        new() { Caption = "shown", Candidates = [.. pictures.Select(index => ArticlePicture.Of(Found(index), "shelf"))], ChosenIndex = 0 };

    /// <summary>The prompt with the placeholder of the published prompts.</summary>
    public static string Published(CompositionPrompt prompt) => prompt.Text.Replace("<ImageHere>", "<image>", StringComparison.Ordinal);
}
