using System.Reflection;

namespace XComposer2.Native.Cuda;

/// <summary>The tree of kernel files. Paths are relative to its root and spelt with <c>/</c>: <c>common/types.cuh</c>.</summary>
public interface IKernelSource
{
    /// <summary>Where the files are, for messages.</summary>
    string Description { get; }

    /// <summary>The text of a file; null where there is none.</summary>
    string? Read(string path);
}

/// <summary>Kernel files inside of an assembly, so that a program published as one file has them with it.</summary>
/// <param name="assembly">Holds each file as a resource named by <paramref name="prefix"/> and the file's path.</param>
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

/// <summary>A file of the kernel tree.</summary>
/// <param name="Path">From the tree's root: <c>common/types.cuh</c>.</param>
/// <param name="Text">All of it.</param>
public readonly record struct KernelFile(string Path, string Text);

/// <summary>A kernel file that is missing or includes what it must not: the message names file and line.</summary>
public sealed class KernelSourceException : Exception
{
    internal KernelSourceException(string message)
        : base(message)
    {
    }
}
