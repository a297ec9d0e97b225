using System.Text;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>Cleans text from files and models: one line, without terminal control characters.</summary>
internal static class CaptionText
{
    /// <summary>Maximum length of a caption in UTF-16 units.</summary>
    public const int MaxLength = 2000;

    /// <summary>Replaces control characters and runs of white space with one space and truncates at the limit.</summary>
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

    // Direction marks reverse text on a terminal; a byte order mark and zero-width spaces are invisible. Joiners are kept, because some scripts need them.
    private static bool IsInvisible(Rune rune) => rune.Value is 0xFEFF or 0x200B or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2060 and <= 0x2069);
}
