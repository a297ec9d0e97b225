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
