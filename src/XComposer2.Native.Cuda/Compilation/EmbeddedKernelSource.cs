using System.Reflection;

namespace XComposer2.Native.Cuda;

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
