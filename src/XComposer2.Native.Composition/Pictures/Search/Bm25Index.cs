using System.Runtime.InteropServices;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>Ranks texts by Okapi BM25 (k1 = 1.2, b = 0.75, non-negative idf). Immutable.</summary>
internal sealed class Bm25Index
{
    private const double K1 = 1.2;
    private const double B = 0.75;

    private readonly Dictionary<string, List<Posting>> postings = new(StringComparer.Ordinal);
    private readonly float[] lengthFactors;

    /// <param name="documents">Terms of each text.</param>
    public Bm25Index(IReadOnlyList<IReadOnlyList<string>> documents)
    {
        lengthFactors = new float[documents.Count];
        double meanLength = Math.Max(1, documents.Count == 0 ? 1 : documents.Average(terms => terms.Count));
        Dictionary<string, int> counts = new(StringComparer.Ordinal);
        for (int document = 0; document < documents.Count; document++)
        {
            lengthFactors[document] = (float)(K1 * (1 - B + (B * documents[document].Count / meanLength)));
            counts.Clear();
            foreach (string term in documents[document])
                CollectionsMarshal.GetValueRefOrAddDefault(counts, term, out _)++;
            foreach ((string term, int count) in counts)
                (CollectionsMarshal.GetValueRefOrAddDefault(postings, term, out _) ??= []).Add(new Posting(document, count));
        }
    }

    /// <summary>Texts that share a term with the query, best first; ties in index order.</summary>
    /// <param name="terms">Terms of the query; duplicates count once.</param>
    public List<RankedText> Rank(IEnumerable<string> terms)
    {
        float[] scores = new float[lengthFactors.Length];
        foreach (string term in terms.Distinct(StringComparer.Ordinal))
        {
            if (!postings.TryGetValue(term, out List<Posting>? found))
                continue;
            double idf = Math.Log(1 + ((scores.Length - found.Count + 0.5) / (found.Count + 0.5)));
            foreach (Posting posting in found)
                scores[posting.Document] += (float)(idf * posting.Count * (K1 + 1) / (posting.Count + lengthFactors[posting.Document]));
        }

        List<RankedText> ranked = [];
        for (int document = 0; document < scores.Length; document++)
            if (scores[document] > 0)
                ranked.Add(new RankedText(document, scores[document]));
        ranked.Sort(static (first, second) => first.Score == second.Score ? first.Document.CompareTo(second.Document) : second.Score.CompareTo(first.Score));
        return ranked;
    }

    private readonly record struct Posting(int Document, int Count);
}

/// <summary>A match of a query.</summary>
/// <param name="Document">Index of the text.</param>
/// <param name="Score">Positive; higher is better.</param>
internal readonly record struct RankedText(int Document, float Score);
