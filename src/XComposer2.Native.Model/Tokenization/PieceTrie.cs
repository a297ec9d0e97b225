using System.Buffers;

namespace XComposer2.Native.Model;

/// <summary>Finds the longest of many pieces at each place of a text, in one walk from left to right.</summary>
internal sealed class PieceTrie
{
    private const int Root = 0, NoPiece = -1;

    private readonly Dictionary<long, int> children = [];
    private readonly List<int> pieceOfNode = [NoPiece];
    private readonly SearchValues<char> firstCharacters;

    /// <param name="pieces">None of them empty.</param>
    public PieceTrie(IEnumerable<(string Piece, int Id)> pieces)
    {
        HashSet<char> firsts = [];
        foreach ((string piece, int id) in pieces)
        {
            firsts.Add(piece[0]);
            Add(piece, id);
        }
        firstCharacters = SearchValues.Create([.. firsts]);
    }

    /// <summary>The first place at or after <paramref name="from"/> where a piece stands, and the longest that stands there.</summary>
    /// <returns>Length of the text, and no length, where there is none.</returns>
    public int FindNext(ReadOnlySpan<char> text, int from, out int length, out int id)
    {
        for (int at = from; at < text.Length; at++)
        {
            int skipped = text[at..].IndexOfAny(firstCharacters);
            if (skipped < 0)
                break;
            at += skipped;
            (length, id) = LongestAt(text[at..]);
            if (length > 0)
                return at;
        }
        (length, id) = (0, NoPiece);
        return text.Length;
    }

    private (int Length, int Id) LongestAt(ReadOnlySpan<char> text)
    {
        (int Length, int Id) longest = (0, NoPiece);
        int node = Root;
        for (int i = 0; i < text.Length && children.TryGetValue(Edge(node, text[i]), out node); i++)
            if (pieceOfNode[node] != NoPiece)
                longest = (i + 1, pieceOfNode[node]);
        return longest;
    }

    private void Add(string piece, int id)
    {
        int node = Root;
        foreach (char letter in piece)
        {
            long edge = Edge(node, letter);
            if (!children.TryGetValue(edge, out node))
            {
                node = pieceOfNode.Count;
                children.Add(edge, node);
                pieceOfNode.Add(NoPiece);
            }
        }
        pieceOfNode[node] = id;
    }

    private static long Edge(int node, char letter) => ((long)node << 16) | letter;
}
