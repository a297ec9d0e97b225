using System.Text;

namespace XComposer2.Native.Model;

/// <summary>A checkpoint file that cannot be used: says which file, which field of it, what was expected and what was found.</summary>
public sealed class CheckpointException : Exception
{
    private const int MaximumShownCharacters = 96;

    public CheckpointException(string file, string field, string expected, string found, Exception? inner = null)
        : base($"{file}: {field}: expected {expected}, found {found}", inner)
    {
        File = file;
        Field = field;
        Expected = expected;
        Found = found;
    }

    /// <summary>The file or folder.</summary>
    public string File { get; }

    /// <summary>The field, tensor, entry or byte offset inside of the file.</summary>
    public string Field { get; }

    public string Expected { get; }

    public string Found { get; }

    /// <summary>Text from a file, quoted for a message: shortened, and with control characters replaced.</summary>
    internal static string Show(string text)
    {
        StringBuilder shown = new("'");
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, MaximumShownCharacters)))
            shown.Append(char.IsControl(c) || char.IsSurrogate(c) ? '?' : c);
        return shown.Append(text.Length > MaximumShownCharacters ? "...'" : "'").ToString();
    }
}
