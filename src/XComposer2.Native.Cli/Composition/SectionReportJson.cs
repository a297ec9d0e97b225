using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>A section in a report.</summary>
internal sealed record SectionReportJson(string Text, FigureReportJson? Figure)
{
    public static SectionReportJson Of(ArticleSection section) => new(
        section.Text,
        section.Figure is { Picture: { } picture } figure
            ? new FigureReportJson(figure.Caption, $"{ArticleFolder.PicturesFolder}/{picture.FileName}", picture.Name, picture.Source, figure.ChosenIndex!.Value + 1, figure.Candidates.Count)
            : null);
}
