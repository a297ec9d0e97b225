using System.Text.RegularExpressions;

namespace XComposer2.Native.Composition;

/// <summary>
/// An illustrated article. Immutable: a change makes another one. All its texts come from a model, a user or a file: whoever shows them
/// escapes them.
/// </summary>
public sealed record Article
{
    /// <summary>What was asked for.</summary>
    public required string Instruction { get; init; }

    /// <summary>Name of the article for a page or a file; empty where none was given.</summary>
    public string Title { get; init; } = "";

    /// <summary>What wrote it, in words; empty where that is not known.</summary>
    public string Model { get; init; } = "";

    /// <summary>The seed of its first step.</summary>
    public ulong Seed { get; init; }

    /// <summary>The user's own pictures, in the user's order: the text was written from them and they alone illustrate it. Empty where figures are searched for.</summary>
    public IReadOnlyList<ArticlePicture> OwnPictures { get; init; } = [];

    /// <summary>Paragraphs and headings, in order.</summary>
    public IReadOnlyList<ArticleSection> Sections { get; init; } = [];

    /// <summary>What did not go as hoped, in the order in which it happened.</summary>
    public IReadOnlyList<ArticleNote> Notes { get; init; } = [];

    /// <summary>Sections that an article may have after insertions.</summary>
    internal const int MaximumSections = 1000;

    /// <summary>The same article with another text of a section; its figure stays. An empty text takes the section away, and its figure.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="text">Line ends become spaces.</param>
    /// <exception cref="EngineException">There is no such section.</exception>
    public Article WithText(int index, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArticleSection section = RequireSection(index);
        string line = ArticleText.Join(text);
        return line.Length == 0
            ? this with { Sections = [.. Sections.Take(index), .. Sections.Skip(index + 1)] }
            : WithSection(index, section with { Text = line });
    }

    /// <summary>The same article with one section more.</summary>
    /// <param name="index">Where it will stand, from 0; the number of sections for the end.</param>
    /// <param name="text">Not empty; line ends become spaces.</param>
    /// <exception cref="EngineException">There is no such place.</exception>
    public Article WithInserted(int index, string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        EngineException.ThrowUnless(index >= 0 && index <= Sections.Count, "place", $"1 to {Sections.Count + 1}", index + 1);
        return this with { Sections = [.. Sections.Take(index), new ArticleSection(ArticleText.Join(text)), .. Sections.Skip(index)] };
    }

    /// <summary>The same article with a figure after a section, in the place of the one that was there.</summary>
    /// <exception cref="EngineException">There is no such section, or the figure's choice is none of its candidates.</exception>
    public Article WithFigure(int index, ArticleFigure figure)
    {
        ArgumentNullException.ThrowIfNull(figure);
        ArticleSection section = RequireSection(index);
        EngineException.ThrowUnless(figure.ChosenIndex is null || (figure.ChosenIndex >= 0 && figure.ChosenIndex < figure.Candidates.Count),
            "candidate", $"1 to {figure.Candidates.Count}", figure.ChosenIndex + 1);
        return WithSection(index, section with { Figure = figure });
    }

    /// <summary>The same article with no figure after a section.</summary>
    /// <exception cref="EngineException">There is no such section.</exception>
    public Article WithoutFigure(int index) => WithSection(index, RequireSection(index) with { Figure = null });

    /// <summary>The same article with one note more.</summary>
    public Article WithNote(CompositionStep step, NoteCause cause, string text) => this with { Notes = [.. Notes, new ArticleNote(step, cause, text)] };

    /// <summary>Before a step runs again: what it and the steps after it noted, no longer holds. Notes of edits stay.</summary>
    internal Article WithoutNotesFrom(CompositionStep step) => this with { Notes = [.. Notes.Where(note => note.Step < step || note.Step == CompositionStep.Edit)] };

    /// <summary>Sections that a figure follows, ascending.</summary>
    internal int[] FigurePlaces() => [.. Enumerable.Range(0, Sections.Count).Where(index => Sections[index].Figure is not null)];

    /// <summary>File names of the pictures that other figures show.</summary>
    internal HashSet<string> ShownElsewhere(int place) =>
        [.. Sections.Where((section, index) => index != place && section.Figure?.Picture is not null).Select(section => section.Figure!.Picture!.FileName)];

    /// <exception cref="EngineException">There is no such section; the message counts from 1.</exception>
    internal ArticleSection RequireSection(int index)
    {
        EngineException.ThrowUnless(index >= 0 && index < Sections.Count, "section", $"1 to {Sections.Count}", index + 1);
        return Sections[index];
    }

    private Article WithSection(int index, ArticleSection section) => this with { Sections = [.. Sections.Take(index), section, .. Sections.Skip(index + 1)] };
}

/// <summary>A paragraph, or a heading in Markdown (<c>### ...</c>). One line: no line ends inside.</summary>
/// <param name="Text">Not empty.</param>
/// <param name="Figure">The figure after this section; null where there is none.</param>
public sealed record ArticleSection(string Text, ArticleFigure? Figure = null);

/// <summary>
/// A figure after a section. It comes into being step by step: a place, then a caption, then candidates, then the chosen one of them; an
/// article that was stopped on the way has figures without a picture, which nobody shows.
/// </summary>
public sealed record ArticleFigure
{
    /// <summary>What the picture is to show; empty where it has none yet, and where the user's own pictures were chosen from.</summary>
    public string Caption { get; init; } = "";

    /// <summary>Pictures that were found for it, best first.</summary>
    public IReadOnlyList<ArticlePicture> Candidates { get; init; } = [];

    /// <summary>Which of <see cref="Candidates"/> is shown; null where none is chosen yet.</summary>
    public int? ChosenIndex { get; init; }

    /// <summary>The picture that is shown; null where none is chosen yet.</summary>
    public ArticlePicture? Picture => ChosenIndex is { } index ? Candidates[index] : null;
}

/// <summary>Something that did not go as hoped, in a sentence.</summary>
/// <param name="Step">The step in which it happened.</param>
/// <param name="Cause">Whose doing it was.</param>
/// <param name="Text">For the reader; may quote a model's answer.</param>
public sealed record ArticleNote(CompositionStep Step, NoteCause Cause, string Text);

/// <summary>Whose doing it was that a step did not go as hoped.</summary>
public enum NoteCause
{
    /// <summary>The model's answer could not be used, or not all of it.</summary>
    Model,

    /// <summary>The source of pictures had none, or damaged ones.</summary>
    Pictures,

    /// <summary>A limit was reached: of the context, of sections, of places.</summary>
    Limit,
}

/// <summary>From a model's text to sections: one a line, empty lines and indentation dropped.</summary>
internal static partial class ArticleText
{
    /// <summary>More are dropped.</summary>
    public const int MaximumSections = 60;

    /// <param name="text">Of the model.</param>
    /// <param name="dropped">Sections over the limit.</param>
    public static IReadOnlyList<ArticleSection> Split(string text, out int dropped)
    {
        string[] lines = LineEnds().Replace(text.ReplaceLineEndings("\n").Trim(), "\n").Split('\n');
        if (lines is [""])
            lines = [];
        dropped = Math.Max(0, lines.Length - MaximumSections);
        return [.. lines.Take(MaximumSections).Select(line => new ArticleSection(line))];
    }

    /// <summary>An edited section is one line.</summary>
    public static string Join(string text) => text.Trim().ReplaceLineEndings(" ");

    [GeneratedRegex(@"(\n\s*)+")]
    private static partial Regex LineEnds();
}
