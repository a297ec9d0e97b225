namespace XComposer2.Native.Composition.Pictures;

/// <summary>Finds pictures by text, one of each group that looks the same. Immutable.</summary>
internal sealed class GallerySearch
{
    private readonly Bm25Index texts;
    private readonly float[] features;
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly float duplicateSimilarity;

    /// <param name="pictures">All of them.</param>
    /// <param name="duplicateSimilarity">Cosine from which on two pictures are one.</param>
    public GallerySearch(IReadOnlyList<IndexedPicture> pictures, float duplicateSimilarity)
    {
        this.duplicateSimilarity = duplicateSimilarity;
        texts = new Bm25Index([.. pictures.Select(picture => TextTerms.OfDocument(picture.Text))]);
        features = new float[pictures.Count * (long)CompactFeatures.Length];
        for (int number = 0; number < pictures.Count; number++)
        {
            CompactFeatures.Widen(pictures[number].Record.Features, Row(number));
            numbers.Add(pictures[number].Record.File.Path, number);
        }
    }

    /// <summary>
    /// Numbers of pictures, best first. Duplicates are looked for among those that are handed out (and those that are excluded), not between all
    /// pictures: the work is that of one comparison for each text that fits and each picture that is taken.
    /// </summary>
    /// <param name="text">What is looked for.</param>
    /// <param name="excluded">Paths that stand for their look-alikes too.</param>
    public IEnumerable<int> Find(string text, IEnumerable<string> excluded)
    {
        List<int> taken = [.. excluded.Where(numbers.ContainsKey).Select(path => numbers[path])];
        foreach (RankedText ranked in texts.Rank(TextTerms.OfQuery(text)))
        {
            if (taken.Exists(other => IsSame(other, ranked.Document)))
                continue;
            taken.Add(ranked.Document);
            yield return ranked.Document;
        }
    }

    private bool IsSame(int first, int second) => first == second || CompactFeatures.Cosine(Row(first), Row(second)) >= duplicateSimilarity;

    private Span<float> Row(int number) => features.AsSpan(number * CompactFeatures.Length, CompactFeatures.Length);
}
