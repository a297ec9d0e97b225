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

    /// <summary>How pictures are stored.</summary>
    public PictureOptions Pictures { get; init; } = PictureOptions.Default;

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

    /// <summary>Replaces a section by Markdown text, which may have several blocks. The figure follows the last one. An empty text removes the section and its figure.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="markdown">Paragraphs, headings and list items; see <see cref="ArticleMarkdown"/> for the markup that is shown.</param>
    /// <exception cref="EngineException">There is no such section, or the article would have too many.</exception>
    public Article WithMarkdown(int index, string markdown)
    {
        ArgumentNullException.ThrowIfNull(markdown);
        ArticleSection section = RequireSection(index);
        List<string> blocks = MarkdownBlocks.Split(markdown);
        if (blocks.Count == 0)
            return WithText(index, "");
        EngineException.ThrowUnless(Sections.Count - 1 + blocks.Count <= MaximumSections, "sections", $"at most {MaximumSections}", Sections.Count - 1 + blocks.Count);
        IEnumerable<ArticleSection> sections = blocks.Select((block, number) => new ArticleSection(block, number == blocks.Count - 1 ? section.Figure : null));
        return this with { Sections = [.. Sections.Take(index), .. sections, .. Sections.Skip(index + 1)] };
    }

    /// <summary>Changes the title. A heading that serves as the title, as the first section of an article without one, is changed too.</summary>
    /// <param name="title">Line breaks become spaces; empty for none.</param>
    public Article WithTitle(string title)
    {
        ArgumentNullException.ThrowIfNull(title);
        string line = ArticleText.Join(title);
        Article titled = this with { Title = line };
        if (line.Length == 0 || Sections is not [{ } first, ..] || !first.Text.StartsWith('#'))
            return titled;
        int marks = first.Text.AsSpan().IndexOfAnyExcept('#');
        bool isTitle = marks > 0 && first.Text[marks] == ' ' && (Title.Length == 0 || first.Text[marks..].Trim() == Title);
        return isTitle ? titled.WithText(0, $"{first.Text[..marks]} {line}") : titled;
    }

    /// <summary>Moves a section with its figure.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="target">Its new index.</param>
    /// <exception cref="EngineException">An index is out of range.</exception>
    public Article WithMoved(int index, int target)
    {
        ArticleSection section = RequireSection(index);
        EngineException.ThrowUnless(target >= 0 && target < Sections.Count, "new place", $"1 to {Sections.Count}", target + 1);
        List<ArticleSection> sections = [.. Sections];
        sections.RemoveAt(index);
        sections.Insert(target, section);
        return this with { Sections = sections };
    }

    /// <summary>Changes the texts of a figure and keeps its picture.</summary>
    /// <param name="index">Section of the figure, from 0.</param>
    /// <param name="caption">Null keeps the caption; line breaks become spaces.</param>
    /// <param name="alternative">Null keeps the alternative text.</param>
    /// <exception cref="EngineException">There is no such section, or it has no figure.</exception>
    public Article WithCaption(int index, string? caption, string? alternative)
    {
        ArticleFigure figure = RequireFigure(index);
        return WithFigure(index, figure with
        {
            Caption = caption is null ? figure.Caption : ArticleText.Join(caption),
            AlternativeText = alternative is null ? figure.AlternativeText : ArticleText.Join(alternative),
        });
    }

    /// <summary>Chooses a candidate of a figure. The alternative text, which described another picture, is removed.</summary>
    /// <exception cref="EngineException">There is no such section, figure or candidate.</exception>
    public Article WithChosen(int index, int candidate)
    {
        ArticleFigure figure = RequireFigure(index);
        return WithFigure(index, figure.ChosenIndex == candidate ? figure : figure with { ChosenIndex = candidate, AlternativeText = "" });
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
        EngineException.ThrowUnless(figure.Scores.Count == 0 || figure.Scores.Count == figure.Candidates.Count, "scores", $"none or {figure.Candidates.Count}", figure.Scores.Count);
        return WithSection(index, section with { Figure = figure });
    }

    /// <summary>Removes the figure after a section.</summary>
    /// <exception cref="EngineException">There is no such section.</exception>
    public Article WithoutFigure(int index) => WithSection(index, RequireSection(index) with { Figure = null });

    /// <summary>Adds a note.</summary>
    public Article WithNote(CompositionStep step, NoteCause cause, string text) => this with { Notes = [.. Notes, new ArticleNote(step, cause, text)] };

    /// <summary>Removes the notes of a step and of all later steps, before the step runs again. Notes of edits are kept.</summary>
    internal Article WithoutNotesFrom(CompositionStep step) => this with { Notes = [.. Notes.Where(note => note.Step < step || note.Step >= CompositionStep.Edit)] };

    /// <summary>Indices of the sections followed by a figure, ascending.</summary>
    internal int[] FigurePlaces() => [.. Enumerable.Range(0, Sections.Count).Where(index => Sections[index].Figure is not null)];

    /// <summary>File names of the pictures shown by other figures.</summary>
    internal HashSet<string> ShownElsewhere(int place) =>
        [.. Sections.Where((section, index) => index != place && section.Figure?.Picture is not null).Select(section => section.Figure!.Picture!.FileName)];

    /// <exception cref="EngineException">There is no such section, or it has no figure with candidates.</exception>
    internal ArticleFigure RequireFigure(int index) =>
        RequireSection(index).Figure is { Candidates.Count: > 0 } figure ? figure : throw new EngineException($"section {index + 1} has no figure with candidates");

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
    /// <summary>Description of the picture to show; empty if not written yet.</summary>
    public string Caption { get; init; } = "";

    /// <summary>Description of the chosen picture for readers who cannot see it; empty for that of its source (<see cref="ArticlePicture.Caption"/>).</summary>
    public string AlternativeText { get; init; } = "";

    /// <summary>Candidate pictures, best first.</summary>
    public IReadOnlyList<ArticlePicture> Candidates { get; init; } = [];

    /// <summary>Scores of <see cref="Candidates"/>, in the same order; empty if there are none.</summary>
    public IReadOnlyList<CandidateScore> Scores { get; init; } = [];

    /// <summary>Index of the chosen picture in <see cref="Candidates"/>; null if none is chosen yet.</summary>
    public int? ChosenIndex { get; init; }

    /// <summary>The chosen picture; null if none is chosen yet.</summary>
    public ArticlePicture? Picture => ChosenIndex is { } index ? Candidates[index] : null;
}

/// <summary>How a candidate was found and rated.</summary>
/// <param name="Rank">Its place in the search result, from 1; null if it was not searched.</param>
/// <param name="Probability">The model's probability of the candidate's letter, 0 to 1, before temperature, top-k and top-p; null if the model was not asked or the letter
/// was not among its twenty likeliest tokens.</param>
public readonly record struct CandidateScore(int? Rank, float? Probability);

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
