namespace XComposer2.Native.Cuda;

/// <summary>
/// An include of a kernel file. There is one spelling, <c>#include "common/types.cuh"</c> from the tree's root, so that one file has one
/// name in the cache's key and for the compiler.
/// </summary>
internal readonly record struct IncludeLine(string Path, string File, int Line)
{
    /// <summary>All includes of a file, those in comments and untaken branches too: they are read, and do no harm.</summary>
    public static IEnumerable<IncludeLine> Scan(KernelFile file)
    {
        int number = 0;
        foreach (string line in file.Text.Split('\n'))
        {
            number++;
            if (Operand(line) is not { } operand) continue;
            IncludeLine include = new(Unquote(operand) ?? string.Empty, file.Path, number);
            yield return IsPlain(include.Path)
                ? include
                : throw include.Refuse($"{operand} is not spelt as includes are here, \"folder/file.cuh\" from the root of the kernels");
        }
    }

    public KernelSourceException Refuse(string why) => new($"{File}({Line}): {why}");

    private static string? Operand(string line)
    {
        string text = line.Trim();
        if (!text.StartsWith('#')) return null;
        text = text[1..].TrimStart();
        const string Directive = "include";
        return text.StartsWith(Directive, StringComparison.Ordinal) && (text.Length == Directive.Length || !char.IsLetterOrDigit(text[Directive.Length]))
            ? text[Directive.Length..].TrimStart()
            : null;
    }

    private static string? Unquote(string operand)
    {
        int end = operand.StartsWith('"') ? operand.IndexOf('"', 1) : -1;
        return end < 0 ? null : operand[1..end];
    }

    private static bool IsPlain(string path) =>
        path.Length > 0 && !path.Contains('\\', StringComparison.Ordinal) && !path.Contains(':', StringComparison.Ordinal)
        && !path.Split('/').Any(part => part is "" or "." or "..");
}
