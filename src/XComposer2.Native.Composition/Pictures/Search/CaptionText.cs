using System.Text;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>Text from files and models on one line, without what could move a cursor.</summary>
internal static class CaptionText
{
    /// <summary>Longest caption in UTF-16 units; captions are sentences, not books.</summary>
    public const int MaxLength = 2000;

    /// <summary>Control characters and runs of white space become one space; what is over the limit is cut off.</summary>
    public static string Clean(string text, int maxLength = MaxLength)
    {
        StringBuilder clean = new(Math.Min(text.Length, maxLength));
        bool gap = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune) || IsInvisible(rune))
            {
                gap = clean.Length > 0;
                continue;
            }

            if (clean.Length + rune.Utf16SequenceLength + (gap ? 1 : 0) > maxLength)
                break;
            if (gap)
                clean.Append(' ');
            gap = false;
            clean.Append(rune);
        }

        return clean.ToString();
    }

    // Marks of direction turn a name around on a terminal; a byte order mark and zero-width spaces only hide. Joiners belong to some scripts.
    private static bool IsInvisible(Rune rune) => rune.Value is 0xFEFF or 0x200B or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2060 and <= 0x2069);
}
