using System.Globalization;
using System.Text;
using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>Output of <c>xc2 compose --json</c> and <c>xc2 edit --json</c>. Names are a stable interface for scripts.</summary>
internal sealed record ArticleReportJson(
    string Folder, string Title, string Model, ulong Seed, IReadOnlyList<SectionReportJson> Sections, IReadOnlyList<NoteReportJson> Notes, IReadOnlyList<string> Changes, int CurrentChange, IReadOnlyList<string> Done)
{
    /// <param name="folder">Folder of the article.</param>
    /// <param name="history">The article.</param>
    /// <param name="done">What the command did, in sentences.</param>
    public static ArticleReportJson Of(string folder, ArticleHistory history, IReadOnlyList<string> done) => new(
        folder,
        history.Current.Title,
        history.Current.Model,
        history.Current.Seed,
        [.. history.Current.Sections.Select(SectionReportJson.Of)],
        [.. history.Current.Notes.Select(note => new NoteReportJson(Lower(note.Step.ToString()), Lower(note.Cause.ToString()), note.Text))],
        [.. history.States.Select(state => state.Change)],
        history.CurrentIndex,
        done);

    private static string Lower(string name) => name.ToLowerInvariant();
}

/// <summary>A section in a report.</summary>
internal sealed record SectionReportJson(string Text, FigureReportJson? Figure)
{
    public static SectionReportJson Of(ArticleSection section) => new(
        section.Text,
        section.Figure is { Picture: { } picture } figure
            ? new FigureReportJson(figure.Caption, $"{ArticleFolder.PicturesFolder}/{picture.FileName}", picture.Name, picture.Source, figure.ChosenIndex!.Value + 1, figure.Candidates.Count, figure.AlternativeText, CandidateReportJson.Of(figure))
            : null);
}

/// <summary>A figure in a report; candidates are numbered from 1.</summary>
internal sealed record FigureReportJson(
    string Caption, string File, string Name, string Source, int Candidate, int Candidates, string AlternativeText, IReadOnlyList<CandidateReportJson> Choices);

/// <summary>A candidate in a report.</summary>
/// <param name="Number">For <c>--candidate</c>.</param>
/// <param name="File">In the article's folder.</param>
/// <param name="Name">Name in the source.</param>
/// <param name="Source">Name of the source.</param>
/// <param name="Caption">Description of the source; null for none.</param>
/// <param name="Rank">Rank of the search; null for none.</param>
/// <param name="Probability">Probability by the model; null if unknown.</param>
internal sealed record CandidateReportJson(int Number, string File, string Name, string Source, string? Caption, int? Rank, float? Probability)
{
    public static IReadOnlyList<CandidateReportJson> Of(ArticleFigure figure) =>
    [
        .. figure.Candidates.Select((picture, index) =>
        {
            CandidateScore score = figure.Scores.Count > 0 ? figure.Scores[index] : default;
            return new CandidateReportJson(index + 1, $"{ArticleFolder.PicturesFolder}/{picture.FileName}", picture.Name, picture.Source, picture.Caption, score.Rank, score.Probability);
        }),
    ];
}

/// <summary>A note in a report.</summary>
internal sealed record NoteReportJson(string Step, string Cause, string Text);

/// <summary>An article as text: numbered sections with their figures, and the history of changes.</summary>
internal static class ArticleListing
{
    public static string Of(ArticleHistory history)
    {
        StringBuilder text = new();
        foreach ((int index, ArticleSection section) in history.Current.Sections.Index())
        {
            text.Append(CultureInfo.InvariantCulture, $"{index + 1,3}  {TerminalText.OneLine(section.Text)}\n");
            if (section.Figure is { } figure)
                text.Append(CultureInfo.InvariantCulture, $"     [{TerminalText.OneLine(Describe(figure))}]\n");
        }

        return text.Append("changes: ").AppendJoin(", ", history.States.Select((state, index) => TerminalText.OneLine(index > history.CurrentIndex ? $"({state.Change}: undone)" : state.Change))).Append('\n').ToString();
    }

    private static string Describe(ArticleFigure figure)
    {
        string caption = figure.Caption.Length > 0 ? $"figure: {figure.Caption}; " : "figure: ";
        return figure.Picture is { } picture
            ? string.Create(CultureInfo.InvariantCulture, $"{caption}{picture.Name} of {picture.Source}, {figure.ChosenIndex + 1} of {figure.Candidates.Count}")
            : $"{caption}no picture yet";
    }
}
