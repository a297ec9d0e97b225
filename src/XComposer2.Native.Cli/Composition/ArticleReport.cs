using System.Globalization;
using System.Text;
using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>Output of <c>xc2 compose --json</c> and <c>xc2 edit --json</c>. Names are a stable interface for scripts.</summary>
internal sealed record ArticleReportJson(
    string Folder, string Title, string Model, ulong Seed, IReadOnlyList<SectionReportJson> Sections, IReadOnlyList<NoteReportJson> Notes, IReadOnlyList<string> Changes, int CurrentChange)
{
    public static ArticleReportJson Of(string folder, ArticleHistory history) => new(
        folder,
        history.Current.Title,
        history.Current.Model,
        history.Current.Seed,
        [.. history.Current.Sections.Select(SectionReportJson.Of)],
        [.. history.Current.Notes.Select(note => new NoteReportJson(Lower(note.Step.ToString()), Lower(note.Cause.ToString()), note.Text))],
        [.. history.States.Select(state => state.Change)],
        history.CurrentIndex);

    private static string Lower(string name) => name.ToLowerInvariant();
}

/// <summary>A section in a report.</summary>
internal sealed record SectionReportJson(string Text, FigureReportJson? Figure)
{
    public static SectionReportJson Of(ArticleSection section) => new(
        section.Text,
        section.Figure is { Picture: { } picture } figure
            ? new FigureReportJson(figure.Caption, $"{ArticleFolder.PicturesFolder}/{picture.FileName}", picture.Name, picture.Source, figure.ChosenIndex!.Value + 1, figure.Candidates.Count)
            : null);
}

/// <summary>A figure in a report; candidates are numbered from 1.</summary>
internal sealed record FigureReportJson(string Caption, string File, string Name, string Source, int Candidate, int Candidates);

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
