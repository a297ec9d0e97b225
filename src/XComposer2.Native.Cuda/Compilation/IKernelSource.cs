namespace XComposer2.Native.Cuda;

/// <summary>The tree of kernel files. Paths are relative to its root and spelt with <c>/</c>: <c>common/types.cuh</c>.</summary>
public interface IKernelSource
{
    /// <summary>Where the files are, for messages.</summary>
    string Description { get; }

    /// <summary>The text of a file; null where there is none.</summary>
    string? Read(string path);
}
