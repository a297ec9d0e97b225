using System.Collections.Frozen;
using System.Text;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>
/// Search terms of a text. Words of letters and digits are lowercased and stripped of their plural. Chinese, Japanese and Korean, written without
/// spaces, become pairs of neighbouring characters. Words common to all picture captions are left out.
/// </summary>
internal static class TextTerms
{
    /// <summary>Longer runs of letters are not words.</summary>
    private const int LongestWord = 64;

    /// <summary>Chinese particles, which end a run of characters: pairs with a particle occur in every sentence.</summary>
    private const string Particles = "的了着是在和与及有";

    private static readonly FrozenSet<string> Silent = FrozenSet.Create(
        StringComparer.Ordinal,
        "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "in", "is", "it", "its", "of", "on", "or", "that", "the", "there", "this", "to", "was", "with",
        "image", "photo", "picture", "show", "shown", "图中", "图片", "照片", "图像", "这张", "张图", "一张", "一个");

    /// <summary>Terms of an indexed text: includes single CJK characters, for one-character queries.</summary>
    public static List<string> OfDocument(string text) => Split(text, singles: true);

    /// <summary>Terms of a query.</summary>
    public static List<string> OfQuery(string text) => Split(text, singles: false);

    /// <summary>Whether a character belongs to a script written without spaces.</summary>
    public static bool IsCjk(Rune rune) => rune.Value is
        (>= 0x3040 and <= 0x30FF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xAC00 and <= 0xD7AF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF);

    private static List<string> Split(string text, bool singles)
    {
        List<string> terms = [];
        StringBuilder word = new();
        Rune? before = null;
        bool paired = false;
        foreach (Rune found in text.EnumerateRunes())
        {
            Rune rune = Fold(found);
            bool isParticle = rune.IsBmp && Particles.Contains((char)rune.Value);
            bool isCjk = IsCjk(rune) && !isParticle;
            if (!isCjk && !isParticle && Rune.IsLetterOrDigit(rune))
                word.Append(rune);
            else
                EndWord(word, terms);
            if (isCjk)
            {
                if (singles)
                    terms.Add(rune.ToString());
                if (before is { } first)
                    Add(terms, $"{first}{rune}");
                paired = before is not null;
                before = rune;
                continue;
            }

            EndRun(terms, before, paired || singles);
            before = null;
        }

        EndWord(word, terms);
        EndRun(terms, before, paired || singles);
        return terms;
    }

    private static void EndRun(List<string> terms, Rune? last, bool isCovered)
    {
        if (last is { } alone && !isCovered)
            terms.Add(alone.ToString());
    }

    private static void EndWord(StringBuilder word, List<string> terms)
    {
        if (word.Length is > 0 and <= LongestWord)
            Add(terms, Singular(word.ToString()));
        word.Clear();
    }

    private static void Add(List<string> terms, string term)
    {
        if (!Silent.Contains(term))
            terms.Add(term);
    }

    // Maps full-width forms to ASCII.
    private static Rune Fold(Rune rune) => rune.Value is >= 0xFF01 and <= 0xFF5E ? Rune.ToLowerInvariant(new Rune(rune.Value - 0xFEE0)) : Rune.ToLowerInvariant(rune);

    // Harman's S-stemmer: mild enough not to damage words of other languages.
    private static string Singular(string word)
    {
        if (word.Length <= 3 || word[^1] != 's' || word[^2] is 's' or 'u')
            return word;
        if (word.EndsWith("ies", StringComparison.Ordinal))
            return word[^4] is 'e' or 'a' ? word : word[..^3] + "y";
        if (word.EndsWith("es", StringComparison.Ordinal) && word[^3] is 'a' or 'e' or 'o')
            return word;
        return word[..^1];
    }
}
