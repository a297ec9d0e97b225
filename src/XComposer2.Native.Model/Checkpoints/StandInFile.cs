using System.Text;

namespace XComposer2.Native.Model;

/// <summary>Recognises small files in place of large ones: version control pointers, web pages and error texts.</summary>
internal static class StandInFile
{
    /// <summary>Number of leading bytes to inspect.</summary>
    public const int LookedAtBytes = 512;

    /// <summary>Longer texts are not recognised.</summary>
    private const int MaximumTextBytes = 400;

    /// <summary>Description of the file; null if it is not recognised.</summary>
    public static string? Describe(ReadOnlySpan<byte> beginning, long fileBytes)
    {
        if (beginning.StartsWith("version https://git-lfs"u8))
            return "a Git LFS pointer (fetch the file itself: git lfs pull)";
        if (beginning.StartsWith("/annex/objects/"u8) || beginning.StartsWith("../.git/annex/"u8) || beginning.StartsWith(".git/annex/"u8))
            return "a git-annex pointer (fetch the file itself: git annex get)";
        ReadOnlySpan<byte> text = ConfigSection.WithoutMark(beginning).TrimStart(" \t\r\n"u8);
        if (StartsWithIgnoringCase(text, "<!doctype"u8) || StartsWithIgnoringCase(text, "<html"u8) || StartsWithIgnoringCase(text, "<?xml"u8))
            return "a web page saved under this name (download the file itself; a login may be required)";
        bool isText = fileBytes <= MaximumTextBytes && text.Length > 0 && text[0] is not ((byte)'{' or (byte)'[') && IsLines(text);
        return isText ? $"the text {CheckpointException.Show(Encoding.ASCII.GetString(text).Trim())}" : null;
    }

    private static bool IsLines(ReadOnlySpan<byte> text)
    {
        foreach (byte value in text)
            if (value is not (>= (byte)' ' and <= (byte)'~' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
                return false;
        return true;
    }

    private static bool StartsWithIgnoringCase(ReadOnlySpan<byte> text, ReadOnlySpan<byte> prefix) =>
        text.Length >= prefix.Length && Ascii.EqualsIgnoreCase(text[..prefix.Length], prefix);
}
