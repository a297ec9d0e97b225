namespace XComposer2.Native.Composition.Pictures;

/// <summary>Finds pictures by text; of similar pictures only the best match is returned. Immutable.</summary>
internal sealed class GallerySearch
{
    private readonly Bm25Index texts;
    private readonly float[] features;
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly float duplicateSimilarity;

    /// <param name="pictures">All pictures of the gallery.</param>
    /// <param name="duplicateSimilarity">Minimum cosine of two similar pictures.</param>
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
    /// Indices of pictures, best first. Duplicates are detected only among returned and excluded pictures, not between all pairs: one comparison for
    /// each matching text and returned picture.
    /// </summary>
    /// <param name="text">Search text.</param>
    /// <param name="excluded">Paths of pictures to exclude, together with similar ones.</param>
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
