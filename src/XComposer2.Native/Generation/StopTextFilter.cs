namespace XComposer2.Native;

/// <summary>
/// Ends a streamed text before the first stop text. What could still become a stop text is held back until it is decided, over the borders
/// of tokens too. The first stop text is the one that is complete first; of several that are complete at once, the longest. So the result
/// does not depend on how the text was cut. Not thread-safe.
/// </summary>
internal sealed class StopTextFilter
{
    private readonly string[] stops;
    private string held = "";

    /// <param name="stops">Compared letter by letter; none for a filter that lets everything through.</param>
    /// <exception cref="ArgumentException">One of them is empty.</exception>
    public StopTextFilter(IReadOnlyList<string> stops)
    {
        ArgumentNullException.ThrowIfNull(stops);
        if (stops.Any(string.IsNullOrEmpty))
            throw new ArgumentException("a stop text is empty", nameof(stops));
        this.stops = [.. stops];
    }

    /// <summary>A stop text was reached; nothing more comes out.</summary>
    public bool Stopped => Found is not null;

    /// <summary>The stop text that was reached; null before.</summary>
    public string? Found { get; private set; }

    /// <summary>Takes more text and returns what is certain: no stop text begins in it. May be empty.</summary>
    public string Add(string delta)
    {
        ArgumentNullException.ThrowIfNull(delta);
        if (Stopped)
            return "";
        string text = held + delta;
        int certain = FindFirstStop(text, out string? found);
        if (certain >= 0)
        {
            Found = found;
            held = "";
            return text[..certain];
        }
        certain = text.Length - LongestBeginningAtEnd(text);
        held = text[certain..];
        return text[..certain];
    }

    /// <summary>The text has ended: what was held back is no stop text after all.</summary>
    public string Finish()
    {
        string rest = held;
        held = "";
        return rest;
    }

    private int FindFirstStop(string text, out string? found)
    {
        found = null;
        int first = -1, firstEnd = int.MaxValue;
        foreach (string stop in stops)
        {
            int start = text.IndexOf(stop, StringComparison.Ordinal);
            int end = start + stop.Length;
            if (start < 0 || end > firstEnd || (end == firstEnd && start > first))
                continue;
            first = start;
            firstEnd = end;
            found = stop;
        }
        return first;
    }

    private int LongestBeginningAtEnd(string text)
    {
        int longest = 0;
        foreach (string stop in stops)
        {
            int length = Math.Min(stop.Length - 1, text.Length);
            while (length > longest && !text.AsSpan().EndsWith(stop.AsSpan(0, length), StringComparison.Ordinal))
                length--;
            longest = Math.Max(longest, length);
        }
        return longest;
    }
}
