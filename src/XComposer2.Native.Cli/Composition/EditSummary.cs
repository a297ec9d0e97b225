using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>States what an edit did: on standard error, and in the report.</summary>
internal static class EditSummary
{
    /// <param name="request">The edit.</param>
    /// <param name="before">The history before the edit.</param>
    /// <param name="after">The history after it.</param>
    /// <returns>One or more sentences.</returns>
    public static IReadOnlyList<string> Of(EditRequest request, ArticleHistory before, ArticleHistory after)
    {
        int number = request.Section ?? 0;
        int added = after.Current.Sections.Count - before.Current.Sections.Count;
        return request.Operation switch
        {
            EditOperation.Rewrite => [$"section {number} rewritten"],
            EditOperation.Expand => [$"section {number} expanded"],
            EditOperation.Abbreviate => [$"section {number} abbreviated"],
            EditOperation.InsertBefore => [$"new section {number}"],
            EditOperation.InsertAfter => [$"new section {number + 1}"],
            EditOperation.SetText => [added switch { > 0 => $"sections {number} to {number + added} replace section {number}", 0 => $"section {number} replaced", _ => $"section {number} removed" }],
            EditOperation.RemoveSection => [$"section {number} removed{(before.Current.Sections[number - 1].Figure is null ? "" : ", with its figure")}"],
            EditOperation.MoveSection => [$"section {number} is now section {request.Target}"],
            EditOperation.SetTitle => [after.Current.Title.Length > 0 ? $"title: {after.Current.Title}" : "title removed"],
            EditOperation.SetCaption => [Texts(number - 1, after.Current.Sections[number - 1].Figure!)],
            EditOperation.RemoveFigure => [before.Current.Sections[number - 1].Figure is null ? $"section {number} had no figure" : $"figure after section {number} removed"],
            EditOperation.Illustrate => Figures(after.Current),
            EditOperation.Undo => [$"undone: {before.States[before.CurrentIndex].Change}"],
            EditOperation.Redo => [$"redone: {after.States[after.CurrentIndex].Change}"],
            EditOperation.ReplaceFigure when after.Current.Sections[number - 1].Figure is { Caption.Length: 0 } figure =>
                [Figure(number - 1, figure, before.Current.Sections[number - 1].Figure), "the figure has no caption: --op set-caption writes one"],
            _ => [Figure(number - 1, after.Current.Sections[number - 1].Figure!, before.Current.Sections[number - 1].Figure)],
        };
    }

    /// <summary>The figure after a section and the candidates that were not chosen.</summary>
    /// <param name="index">Section, from 0.</param>
    /// <param name="figure">The figure.</param>
    /// <param name="before">The figure before the edit; null if there was none, or if the article is new.</param>
    public static string Figure(int index, ArticleFigure figure, ArticleFigure? before = null)
    {
        string caption = figure.Caption.Length > 0 ? $"{figure.Caption}: " : "";
        string previous = before?.Picture is not { } old ? "" : old.FileName == figure.Picture?.FileName ? "; as before" : $"; before: {old.Name}";
        return $"figure after section {index + 1}: {caption}{CandidateText.Choice(figure)}{previous}";
    }

    private static string[] Figures(Article article)
    {
        string[] figures = [.. article.Sections.Index().Where(section => section.Item.Figure is not null).Select(section => Figure(section.Index, section.Item.Figure!))];
        return figures.Length > 0 ? figures : ["no figures"];
    }

    private static string Texts(int index, ArticleFigure figure) =>
        $"figure after section {index + 1}: {(figure.Caption.Length > 0 ? figure.Caption : "no caption")}{(figure.AlternativeText.Length > 0 ? $"; alternative text: {figure.AlternativeText}" : "")}";
}
