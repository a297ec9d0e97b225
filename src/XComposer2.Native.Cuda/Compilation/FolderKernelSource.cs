namespace XComposer2.Native.Cuda;

/// <summary>Kernel files in a folder, read anew each time.</summary>
/// <param name="root">The folder <c>kernels</c>.</param>
public sealed class FolderKernelSource(string root) : IKernelSource
{
    public string Description => root;

    public string? Read(string path)
    {
        string file = Path.Combine(root, path.Replace('/', Path.DirectorySeparatorChar));
        return File.Exists(file) ? File.ReadAllText(file) : null;
    }
}
