using XComposer2.Native.Cuda;
using XComposer2.Native.GpuTests;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>This project's kernels, which include the repository's headers.</summary>
internal sealed class TestKernels : IKernelSource
{
    private readonly FolderKernelSource own = new(RepositoryPaths.Find("tests/EmulatedDeviceTests/Kernels"));
    private readonly FolderKernelSource repository = new(RepositoryPaths.Find("kernels"));

    public static IKernelSource Source { get; } = new TestKernels();

    public string Description => $"{own.Description} and {repository.Description}";

    public string? Read(string path) => own.Read(path) ?? repository.Read(path);
}
