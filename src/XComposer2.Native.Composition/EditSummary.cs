namespace XComposer2.Native.Composition;

/// <summary>States what an edit did, in sentences for the user.</summary>
public static class EditSummary
{
    /// <param name="edit">The edit.</param>
    /// <param name="before">The history before the edit.</param>
    /// <param name="after">The history after it.</param>
    /// <returns>One or more sentences.</returns>
    public static IReadOnlyList<string> Of(ArticleEdit edit, ArticleHistory before, ArticleHistory after)
    {
        ArgumentNullException.ThrowIfNull(edit);
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        int number = edit.Section ?? 0;
        int added = after.Current.Sections.Count - before.Current.Sections.Count;
        return edit.Operation switch
        {
            ArticleOperation.Rewrite => [$"section {number} rewritten"],
            ArticleOperation.Expand => [$"section {number} expanded"],
            ArticleOperation.Abbreviate => [$"section {number} abbreviated"],
            ArticleOperation.InsertBefore => [$"new section {number}"],
            ArticleOperation.InsertAfter => [$"new section {number + 1}"],
            ArticleOperation.SetText => [added switch { > 0 => $"sections {number} to {number + added} replace section {number}", 0 => $"section {number} replaced", _ => $"section {number} removed" }],
            ArticleOperation.RemoveSection => [$"section {number} removed{(before.Current.Sections[number - 1].Figure is null ? "" : ", with its figure")}"],
            ArticleOperation.MoveSection => [$"section {number} is now section {edit.Target}"],
            ArticleOperation.SetTitle => [after.Current.Title.Length > 0 ? $"title: {after.Current.Title}" : "title removed"],
            ArticleOperation.SetCaption => [Texts(number - 1, after.Current.Sections[number - 1].Figure!)],
            ArticleOperation.RemoveFigure => [before.Current.Sections[number - 1].Figure is null ? $"section {number} had no figure" : $"figure after section {number} removed"],
            ArticleOperation.Illustrate => Figures(after.Current),
            ArticleOperation.Undo => [$"undone: {before.States[before.CurrentIndex].Change}"],
            ArticleOperation.Redo => [$"redone: {after.States[after.CurrentIndex].Change}"],
            _ => [Figure(number - 1, after.Current.Sections[number - 1].Figure!, before.Current.Sections[number - 1].Figure)],
        };
    }

    /// <summary>The figure after a section and the candidates that were not chosen.</summary>
    /// <param name="index">Section, from 0.</param>
    /// <param name="figure">The figure.</param>
    /// <param name="before">The figure before the edit; null if there was none, or if the article is new.</param>
    public static string Figure(int index, ArticleFigure figure, ArticleFigure? before = null)
    {
        ArgumentNullException.ThrowIfNull(figure);
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
