using System.Buffers;

namespace XComposer2.Native.Model;

/// <summary>
/// Finds the longest matching piece at each position of a text. The pieces are sorted: one binary search finds the last piece that is not above the text, and the
/// longest match is that piece or one of its prefixes. No memory per character of a piece, and no step per character of a near miss.
/// </summary>
internal sealed class PieceIndex
{
    private const int NoPiece = -1;

    private readonly string[] pieces;
    private readonly int[] ids;

    /// <summary>Of each piece, the longest other piece that it starts with, and one further up, so that a walk takes logarithmic time.</summary>
    private readonly int[] prefixes, jumps;

    private readonly SearchValues<char> firstCharacters;

    /// <param name="pieces">Distinct and not empty.</param>
    public PieceIndex(IEnumerable<IndexedPiece> pieces)
    {
        IndexedPiece[] sorted = [.. pieces];
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Text, b.Text));
        this.pieces = [.. sorted.Select(piece => piece.Text)];
        ids = Array.ConvertAll(sorted, piece => piece.Id);
        prefixes = new int[this.pieces.Length];
        jumps = new int[this.pieces.Length];
        LinkPrefixes();
        firstCharacters = SearchValues.Create(Array.ConvertAll(this.pieces, piece => piece[0]));
    }

    /// <summary>Finds the first match at or after <paramref name="from"/>, and the longest piece there.</summary>
    /// <returns>Position and length of the match; the length of the text and 0 without a match.</returns>
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
        int low = 0, high = pieces.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (pieces[middle].AsSpan().SequenceCompareTo(text) <= 0)
                low = middle + 1;
            else
                high = middle;
        }
        int piece = low - 1;
        int common = piece < 0 ? 0 : text.CommonPrefixLength(pieces[piece]);
        while (piece >= 0 && pieces[piece].Length > common)
            piece = jumps[piece] >= 0 && pieces[jumps[piece]].Length > common ? jumps[piece] : prefixes[piece];
        return piece < 0 ? (0, NoPiece) : (pieces[piece].Length, ids[piece]);
    }

    private void LinkPrefixes()
    {
        int[] depths = new int[pieces.Length];
        for (int piece = 0; piece < pieces.Length; piece++)
        {
            int prefix = piece - 1;
            while (prefix >= 0 && !pieces[piece].StartsWith(pieces[prefix], StringComparison.Ordinal))
                prefix = prefixes[prefix];
            prefixes[piece] = prefix;
            depths[piece] = DepthOf(prefix) + 1;
            // Skew binary numbers: a jump is as long as the two before it together where these are alike.
            int jump = JumpOf(prefix);
            jumps[piece] = prefix >= 0 && DepthOf(prefix) - DepthOf(jump) == DepthOf(jump) - DepthOf(JumpOf(jump)) ? JumpOf(jump) : prefix;
        }

        int DepthOf(int piece) => piece < 0 ? 0 : depths[piece];

        int JumpOf(int piece) => piece < 0 ? NoPiece : jumps[piece];
    }
}

/// <summary>A piece to be found.</summary>
/// <param name="Text">Not empty.</param>
/// <param name="Id">In the vocabulary.</param>
internal sealed record IndexedPiece(string Text, int Id);
