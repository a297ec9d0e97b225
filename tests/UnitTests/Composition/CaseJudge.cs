using XComposer2.Native.Composition;

namespace XComposer2.Native.UnitTests;

/// <summary>Compares an article with the expectations of its case and names the step of each deviation.</summary>
internal sealed class CaseJudge(CompositionCase wanted, Article article, IReadOnlyDictionary<string, string[]> shown)
{
    private readonly List<string> misses = [];

    public bool MentionsAll { get; private set; }

    public bool PlacesAreRight { get; private set; }

    public int Figures { get; private set; }

    public int RightPictures { get; private set; }

    public IReadOnlyList<string> Misses => misses;

    public CaseJudge Run()
    {
        string text = string.Join('\n', article.Sections.Select(section => section.Text));
        string[] missing = [.. wanted.Objects.Where(thing => !text.Contains(thing, StringComparison.Ordinal))];
        MentionsAll = missing.Length == 0;
        if (!MentionsAll)
            misses.Add($"model, text: does not mention {string.Join(", ", missing)}");
        int[] right = [.. Enumerable.Range(0, article.Sections.Count).Where(index => ObjectOf(index) is not null)];
        int[] places = article.FigurePlaces();
        PlacesAreRight = MentionsAll && places.SequenceEqual(right);
        if (!places.SequenceEqual(right))
            misses.Add($"model, places: {string.Join(",", places)} instead of {string.Join(",", right)}");
        foreach (int place in places)
            JudgePicture(place);
        return this;
    }

    private void JudgePicture(int place)
    {
        Figures++;
        ArticleFigure figure = article.Sections[place].Figure!;
        if (ObjectOf(place) is not { } thing)
            return;
        if (figure.Picture is { } picture && shown[picture.Name].Contains(thing))
        {
            RightPictures++;
            return;
        }

        string found = figure.Picture is { } other ? string.Join(" ", shown[other.Name]) : "none";
        misses.Add(!figure.Caption.Contains(thing, StringComparison.Ordinal)
            ? $"model, caption: \"{figure.Caption}\" for {thing}"
            : figure.Candidates.Any(candidate => shown[candidate.Name].Contains(thing))
                ? $"model, choice: {found} for {thing}, which was number {figure.Candidates.ToList().FindIndex(candidate => shown[candidate.Name].Contains(thing)) + 1} of {figure.Candidates.Count}"
                : $"gallery: {thing} is not among the candidates {string.Join(", ", figure.Candidates.Select(candidate => shown[candidate.Name][0]))}");
    }

    private string? ObjectOf(int section) => wanted.Objects.FirstOrDefault(thing => article.Sections[section].Text.Contains(thing, StringComparison.Ordinal));
}
