using System.Buffers;

namespace XComposer2.Native.Model;

/// <summary>
/// Finds the longest matching piece at each position of a text. The pieces are sorted, and each character of the text narrows the range of
/// candidates by binary search: the index needs no memory per character of a piece.
/// </summary>
internal sealed class PieceIndex
{
    private const int NoPiece = -1;

    private readonly string[] pieces;
    private readonly int[] ids;
    private readonly SearchValues<char> firstCharacters;

    /// <param name="pieces">Distinct and not empty.</param>
    public PieceIndex(IEnumerable<(string Piece, int Id)> pieces)
    {
        (string Piece, int Id)[] sorted = [.. pieces];
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Piece, b.Piece));
        this.pieces = [.. sorted.Select(piece => piece.Piece)];
        ids = [.. sorted.Select(piece => piece.Id)];
        firstCharacters = SearchValues.Create([.. this.pieces.Select(piece => piece[0]).Distinct()]);
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
        (int Length, int Id) longest = (0, NoPiece);
        int low = 0, high = pieces.Length;
        for (int i = 0; i < text.Length; i++)
        {
            // All pieces in the range start with text[..i].
            low = FirstFrom(low, high, i, text[i]);
            high = FirstFrom(low, high, i, text[i] + 1);
            if (low == high)
                break;
            if (pieces[low].Length == i + 1)
                longest = (i + 1, ids[low]);
        }
        return longest;
    }

    /// <summary>Index of the first piece in the range whose character at <paramref name="position"/> is at least <paramref name="letter"/>.</summary>
    private int FirstFrom(int low, int high, int position, int letter)
    {
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            string piece = pieces[middle];
            if (piece.Length <= position || piece[position] < letter)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
