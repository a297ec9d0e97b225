using System.Text.RegularExpressions;

namespace XComposer2.Native.Composition;

/// <summary>
/// An illustrated article. Immutable: a change returns a new article. All texts come from a model, a user or a file and must be escaped for
/// display.
/// </summary>
public sealed record Article
{
    /// <summary>The instruction that was given to the model.</summary>
    public required string Instruction { get; init; }

    /// <summary>Title for a page or a file; empty if none was given.</summary>
    public string Title { get; init; } = "";

    /// <summary>Name of the model that wrote the article; empty if unknown.</summary>
    public string Model { get; init; } = "";

    /// <summary>Seed of the first step.</summary>
    public ulong Seed { get; init; }

    /// <summary>The user's own pictures, in the user's order: input for the text, and its only illustrations. Empty if a source is searched for figures.</summary>
    public IReadOnlyList<ArticlePicture> OwnPictures { get; init; } = [];

    /// <summary>Paragraphs and headings, in order.</summary>
    public IReadOnlyList<ArticleSection> Sections { get; init; } = [];

    /// <summary>Problems of the steps, in chronological order.</summary>
    public IReadOnlyList<ArticleNote> Notes { get; init; } = [];

    /// <summary>Maximum number of sections after insertions.</summary>
    internal const int MaximumSections = 1000;

    /// <summary>Replaces the text of a section and keeps its figure. An empty text removes the section and its figure.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="text">Line breaks become spaces.</param>
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

    /// <summary>Inserts a section.</summary>
    /// <param name="index">Index of the new section, from 0; the number of sections appends.</param>
    /// <param name="text">Not empty; line breaks become spaces.</param>
    /// <exception cref="EngineException">The index is out of range.</exception>
    /// <exception cref="ArgumentException">The text is empty.</exception>
    public Article WithInserted(int index, string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        EngineException.ThrowUnless(index >= 0 && index <= Sections.Count, "place", $"1 to {Sections.Count + 1}", index + 1);
        return this with { Sections = [.. Sections.Take(index), new ArticleSection(ArticleText.Join(text)), .. Sections.Skip(index)] };
    }

    /// <summary>Sets the figure after a section, replacing an existing one.</summary>
    /// <exception cref="EngineException">There is no such section, or the chosen index is not a candidate of the figure.</exception>
    public Article WithFigure(int index, ArticleFigure figure)
    {
        ArgumentNullException.ThrowIfNull(figure);
        ArticleSection section = RequireSection(index);
        EngineException.ThrowUnless(figure.ChosenIndex is null || (figure.ChosenIndex >= 0 && figure.ChosenIndex < figure.Candidates.Count),
            "candidate", $"1 to {figure.Candidates.Count}", figure.ChosenIndex + 1);
        return WithSection(index, section with { Figure = figure });
    }

    /// <summary>Removes the figure after a section.</summary>
    /// <exception cref="EngineException">There is no such section.</exception>
    public Article WithoutFigure(int index) => WithSection(index, RequireSection(index) with { Figure = null });

    /// <summary>Adds a note.</summary>
    public Article WithNote(CompositionStep step, NoteCause cause, string text) => this with { Notes = [.. Notes, new ArticleNote(step, cause, text)] };

    /// <summary>Removes the notes of a step and of all later steps, before the step runs again. Notes of edits are kept.</summary>
    internal Article WithoutNotesFrom(CompositionStep step) => this with { Notes = [.. Notes.Where(note => note.Step < step || note.Step == CompositionStep.Edit)] };

    /// <summary>Indices of the sections followed by a figure, ascending.</summary>
    internal int[] FigurePlaces() => [.. Enumerable.Range(0, Sections.Count).Where(index => Sections[index].Figure is not null)];

    /// <summary>File names of the pictures shown by other figures.</summary>
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

/// <summary>A paragraph, or a Markdown heading (<c>### ...</c>). A single line.</summary>
/// <param name="Text">Not empty.</param>
/// <param name="Figure">The figure after this section; null if there is none.</param>
public sealed record ArticleSection(string Text, ArticleFigure? Figure = null);

/// <summary>
/// A figure after a section. It is completed in steps: place, caption, candidates, chosen candidate. An interrupted article has figures without
/// a picture, which are not shown.
/// </summary>
public sealed record ArticleFigure
{
    /// <summary>Description of the picture to show; empty if not written yet, and for the user's own pictures.</summary>
    public string Caption { get; init; } = "";

    /// <summary>Candidate pictures, best first.</summary>
    public IReadOnlyList<ArticlePicture> Candidates { get; init; } = [];

    /// <summary>Index of the chosen picture in <see cref="Candidates"/>; null if none is chosen yet.</summary>
    public int? ChosenIndex { get; init; }

    /// <summary>The chosen picture; null if none is chosen yet.</summary>
    public ArticlePicture? Picture => ChosenIndex is { } index ? Candidates[index] : null;
}

/// <summary>A problem that did not stop the composition, as a sentence.</summary>
/// <param name="Step">The step in which it happened.</param>
/// <param name="Cause">Origin of the problem.</param>
/// <param name="Text">For the reader; may quote a model's answer.</param>
public sealed record ArticleNote(CompositionStep Step, NoteCause Cause, string Text);

/// <summary>Origin of a problem.</summary>
public enum NoteCause
{
    /// <summary>The model's answer was unusable, fully or in part.</summary>
    Model,

    /// <summary>The picture source had no pictures, or damaged ones.</summary>
    Pictures,

    /// <summary>A limit was reached: context length, sections or places.</summary>
    Limit,
}

/// <summary>Splits a model's text into sections: one per line, without empty lines and indentation.</summary>
internal static partial class ArticleText
{
    /// <summary>Maximum number of sections; further ones are dropped.</summary>
    public const int MaximumSections = 60;

    /// <param name="text">The model's text.</param>
    /// <param name="dropped">Number of sections above the limit.</param>
    public static IReadOnlyList<ArticleSection> Split(string text, out int dropped)
    {
        string[] lines = LineEnds().Replace(text.ReplaceLineEndings("\n").Trim(), "\n").Split('\n');
        if (lines is [""])
            lines = [];
        dropped = Math.Max(0, lines.Length - MaximumSections);
        return [.. lines.Take(MaximumSections).Select(line => new ArticleSection(line))];
    }

    /// <summary>Joins an edited section to one line.</summary>
    public static string Join(string text) => text.Trim().ReplaceLineEndings(" ");

    [GeneratedRegex(@"(\n\s*)+")]
    private static partial Regex LineEnds();
}
