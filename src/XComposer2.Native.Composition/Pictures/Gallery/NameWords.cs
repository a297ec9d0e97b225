using System.Collections.Frozen;
using System.Text;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>The words in a file's name that a person chose. Cameras, messengers and programs name files too, and say nothing by it.</summary>
internal static class NameWords
{
    private static readonly FrozenSet<string> Machine = FrozenSet.Create(
        StringComparer.Ordinal,
        "img", "image", "images", "imgp", "dsc", "dscn", "dscf", "dcim", "pict", "pxl", "mvimg", "gopr", "dji", "sam", "cimg", "photo", "photos", "pic", "pics", "picture", "pictures",
        "foto", "bild", "screenshot", "screen", "shot", "snap", "snapchat", "whatsapp", "whats", "app", "signal", "telegram", "mmexport", "wechat", "received", "fb", "wa", "scan", "scanned", "scanner",
        "untitled", "unnamed", "unknown", "download", "downloaded", "file", "files", "new", "copy", "final", "edited", "edit", "export", "original", "default", "temp", "tmp", "thumb",
        "thumbnail", "frame", "page", "figure", "fig", "large", "small", "medium", "full", "resized", "cropped", "hdr", "burst", "portrait", "night", "cover", "canon", "nikon", "camera",
        "album", "gallery", "media", "upload", "uploads", "asset", "assets", "of", "at", "am", "pm", "the", "png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff",
        "微信图片", "微信截图", "图片", "图像", "照片", "相片", "截图", "截屏", "屏幕截图", "屏幕快照", "新建", "未命名", "副本", "无标题", "下载");

    /// <summary>The words of one part of a path (a folder's name, or a file's without its ending), separated by spaces; empty where there are none.</summary>
    public static string Of(string name)
    {
        List<string> words = [];
        StringBuilder run = new();
        foreach (Rune rune in name.EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune))
                run.Append(rune);
            else
                EndRun(run, words);
        }

        EndRun(run, words);
        return string.Join(' ', words);
    }

    private static void EndRun(StringBuilder run, List<string> words)
    {
        List<string> found = Parts(run.ToString(), out int changes);
        run.Clear();
        // Letters and digits in turns, as in 3f9c0ae1, are a number in some notation and not words.
        if (changes <= 2)
            words.AddRange(found.Where(IsWord));
    }

    /// <summary>Runs of letters of one script; a capital letter after a small one begins another.</summary>
    private static List<string> Parts(string run, out int changes)
    {
        List<string> parts = [];
        StringBuilder part = new();
        RunKind kind = RunKind.Digit;
        bool wasLower = false;
        changes = 0;
        foreach (Rune rune in run.EnumerateRunes())
        {
            RunKind next = Rune.IsDigit(rune) ? RunKind.Digit : TextTerms.IsCjk(rune) ? RunKind.Cjk : RunKind.Letter;
            if (part.Length > 0 && ((next == RunKind.Digit) != (kind == RunKind.Digit)))
                changes++;
            if (part.Length > 0 && (next != kind || (wasLower && Rune.IsUpper(rune))))
                EndPart();
            part.Append(rune);
            kind = next;
            wasLower = Rune.IsLower(rune);
        }

        EndPart();
        return parts;

        void EndPart()
        {
            if (part.Length > 0)
                parts.Add(part.ToString());
            part.Clear();
        }
    }

    private static bool IsWord(string part)
    {
        Rune first = Rune.GetRuneAt(part, 0);
        if (Rune.IsDigit(first) || Machine.Contains(part.ToLowerInvariant()))
            return false;
        return TextTerms.IsCjk(first) ? part.Length >= 2 : part.Length >= 3 && part.EnumerateRunes().Any(IsVowel);
    }

    // A word of Latin letters without a vowel (DSCF, HTTP) is an abbreviation; of other alphabets nothing is known.
    private static bool IsVowel(Rune rune) => rune.Value > 127 || "aeiouy".Contains((char)(rune.Value | 0x20));

    private enum RunKind
    {
        Digit,
        Letter,
        Cjk,
    }
}
