using System.Text;

namespace XComposer2.Native.Composition;

/// <summary>The language of a text as a page names it, from its script: enough for fonts, line breaks and voices.</summary>
internal static class TextLanguage
{
    public const string English = "en";

    public const string Chinese = "zh-Hans";

    /// <summary>The language that most of a text is in; null where it has no letters.</summary>
    public static string? Of(string text)
    {
        int han = 0, kana = 0, hangul = 0, words = 0;
        bool inWord = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool isHan = rune.Value is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x3FFFF);
            bool isKana = rune.Value is >= 0x3040 and <= 0x30FF;
            bool isHangul = rune.Value is >= 0xAC00 and <= 0xD7AF;
            bool isLetter = !isHan && !isKana && !isHangul && Rune.IsLetter(rune);
            han += isHan ? 1 : 0;
            kana += isKana ? 1 : 0;
            hangul += isHangul ? 1 : 0;
            words += isLetter && !inWord ? 1 : 0;
            inWord = isLetter;
        }

        // A word of letters weighs as much as a word of two characters.
        int east = han + kana + hangul;
        if (east == 0 && words == 0)
            return null;
        if (east < 2 * words)
            return English;
        return hangul * 2 > east ? "ko" : kana * 4 > east ? "ja" : Chinese;
    }
}
