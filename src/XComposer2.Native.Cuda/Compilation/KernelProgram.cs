namespace XComposer2.Native.Cuda;

/// <summary>A kernel's source with everything that it includes, directly or not.</summary>
public sealed class KernelProgram
{
    private KernelProgram(KernelFile source, IReadOnlyList<KernelFile> headers)
    {
        Source = source;
        Headers = headers;
    }

    public KernelFile Source { get; }

    /// <summary>Each once, sorted by path.</summary>
    public IReadOnlyList<KernelFile> Headers { get; }

    /// <param name="tree">Where all files are.</param>
    /// <param name="path">The <c>.cu</c> file.</param>
    /// <exception cref="KernelSourceException">A file is missing, or an include is not spelt from the tree's root.</exception>
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
                    ?? throw include.Refuse($"\"{include.Path}\" is not in {tree.Description}; includes are spelt from its root");
                headers.Add(include.Path, text);
                toScan.Enqueue(new KernelFile(include.Path, text));
            }
        return new KernelProgram(source, [.. headers.Select(header => new KernelFile(header.Key, header.Value))]);
    }
}
