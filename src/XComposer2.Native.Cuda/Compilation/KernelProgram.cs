namespace XComposer2.Native.Cuda;

/// <summary>A kernel source file and all its direct and indirect includes.</summary>
public sealed class KernelProgram
{
    private KernelProgram(KernelFile source, IReadOnlyList<KernelFile> headers)
    {
        Source = source;
        Headers = headers;
    }

    public KernelFile Source { get; }

    /// <summary>Included files without duplicates, sorted by path.</summary>
    public IReadOnlyList<KernelFile> Headers { get; }

    /// <param name="tree">Contains all files.</param>
    /// <param name="path">Path of the <c>.cu</c> file.</param>
    /// <exception cref="KernelSourceException">A file is missing, or an include path is not relative to the root of the tree.</exception>
    public static KernelProgram Read(IKernelSource tree, string path)
    {
        ArgumentNullException.ThrowIfNull(tree);
        KernelFile source = new(path, tree.Read(path) ?? throw new KernelSourceException($"{path} is not in {tree.Description}"));
        SortedDictionary<string, string> headers = new(StringComparer.Ordinal);
        Queue<KernelFile> toScan = new([source]);
        while (toScan.TryDequeue(out KernelFile file))
            foreach (IncludeLine include in IncludeLine.Scan(file))
            {
                if (headers.ContainsKey(include.Path)) continue;
                string text = tree.Read(include.Path)
                    ?? throw include.Refuse($"\"{include.Path}\" is not in {tree.Description}; include paths are relative to its root");
                headers.Add(include.Path, text);
                toScan.Enqueue(new KernelFile(include.Path, text));
            }
        return new KernelProgram(source, [.. headers.Select(header => new KernelFile(header.Key, header.Value))]);
    }
}

/// <summary>
/// An include directive of a kernel file. The only accepted spelling is relative to the root of the tree, <c>#include "common/types.cuh"</c>,
/// so that each file has one name in the cache key and for the compiler.
/// </summary>
internal readonly record struct IncludeLine(string Path, string File, int Line)
{
    /// <summary>All includes of a file. Includes in comments and in inactive branches are read too, which is harmless.</summary>
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
                : throw include.Refuse($"include path: expected \"folder/file.cuh\" relative to the kernel root, found {operand}");
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
