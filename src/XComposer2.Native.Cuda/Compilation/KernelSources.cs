using System.Reflection;

namespace XComposer2.Native.Cuda;

/// <summary>A tree of kernel files. Paths are relative to its root with <c>/</c> as separator: <c>common/types.cuh</c>.</summary>
public interface IKernelSource
{
    /// <summary>Location of the files, for messages.</summary>
    string Description { get; }

    /// <summary>The text of a file; null if it does not exist.</summary>
    string? Read(string path);
}

/// <summary>Kernel files embedded in an assembly, so that a single-file program contains its kernels.</summary>
/// <param name="assembly">Has one resource per file, named <paramref name="prefix"/> followed by the file's path.</param>
/// <param name="prefix">For example <c>kernels/</c>.</param>
public sealed class EmbeddedKernelSource(Assembly assembly, string prefix = "kernels/") : IKernelSource
{
    public string Description => $"the resources {prefix}* of {assembly.GetName().Name}";

    public string? Read(string path)
    {
        using Stream? resource = assembly.GetManifestResourceStream(prefix + path);
        if (resource is null) return null;
        using StreamReader reader = new(resource);
        return reader.ReadToEnd();
    }
}

/// <summary>Kernel files in a folder. Each call reads the file again.</summary>
/// <param name="root">Path of the folder <c>kernels</c>.</param>
public sealed class FolderKernelSource(string root) : IKernelSource
{
    public string Description => root;

    public string? Read(string path)
    {
        string file = Path.Combine(root, path.Replace('/', Path.DirectorySeparatorChar));
        return File.Exists(file) ? File.ReadAllText(file) : null;
    }
}

/// <summary>A file of the kernel tree.</summary>
/// <param name="Path">Path relative to the root of the tree: <c>common/types.cuh</c>.</param>
/// <param name="Text">Complete text.</param>
public readonly record struct KernelFile(string Path, string Text);

/// <summary>A missing kernel file or an invalid include. The message names file and line.</summary>
public sealed class KernelSourceException : Exception
{
    internal KernelSourceException(string message)
        : base(message)
    {
    }
}
