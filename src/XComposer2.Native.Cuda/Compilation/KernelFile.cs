namespace XComposer2.Native.Cuda;

/// <summary>A file of the kernel tree.</summary>
/// <param name="Path">From the tree's root: <c>common/types.cuh</c>.</param>
/// <param name="Text">All of it.</param>
public readonly record struct KernelFile(string Path, string Text);
