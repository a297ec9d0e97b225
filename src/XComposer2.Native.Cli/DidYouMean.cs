namespace XComposer2.Native.Cli;

/// <summary>Finds the word that a mistyped one was meant to be.</summary>
internal static class DidYouMean
{
    private const int LettersPerMistake = 3;

    /// <returns>A clause for a message, "; did you mean X?"; empty if no candidate is near.</returns>
    public static string Hint(string typed, IEnumerable<string> candidates) => Find(typed, candidates) is { } meant ? $"; did you mean {meant}?" : "";

    /// <summary>The nearest candidate: one mistake for each three letters is allowed. Null if none is that near.</summary>
    public static string? Find(string typed, IEnumerable<string> candidates)
    {
        (string Candidate, int Distance)? best = null;
        foreach (string candidate in candidates)
        {
            int distance = Distance(typed, candidate), letters = Math.Max(Letters(typed), Letters(candidate));
            bool isNear = distance <= Math.Max(1, letters / LettersPerMistake) || (Letters(typed) >= LettersPerMistake && candidate.StartsWith(typed, StringComparison.Ordinal));
            if (isNear && (best is null || distance < best.Value.Distance))
                best = (candidate, distance);
        }

        return best?.Candidate;
    }

    /// <summary>Without the marks of options and commands.</summary>
    private static int Letters(string word) => word.TrimStart('-', '/').Length;

    /// <summary>Insertions, deletions, substitutions and exchanges of neighbours that turn one word into the other.</summary>
    internal static int Distance(string from, string to)
    {
        int[,] table = new int[from.Length + 1, to.Length + 1];
        for (int row = 0; row <= from.Length; row++)
        {
            for (int column = 0; column <= to.Length; column++)
            {
                if (row == 0 || column == 0)
                {
                    table[row, column] = row + column;
                    continue;
                }

                int substituted = table[row - 1, column - 1] + (from[row - 1] == to[column - 1] ? 0 : 1);
                int best = Math.Min(substituted, Math.Min(table[row - 1, column], table[row, column - 1]) + 1);
                if (row > 1 && column > 1 && from[row - 1] == to[column - 2] && from[row - 2] == to[column - 1])
                    best = Math.Min(best, table[row - 2, column - 2] + 1);
                table[row, column] = best;
            }
        }

        return table[from.Length, to.Length];
    }
}
