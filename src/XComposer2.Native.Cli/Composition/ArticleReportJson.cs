using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>The object that <c>xc2 compose --json</c> and <c>xc2 edit --json</c> print. Names are a promise to scripts.</summary>
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
