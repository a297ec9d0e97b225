using XComposer2.Native.Cuda;
using XComposer2.Native.GpuTests;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>This project's kernels, which include the repository's headers, and for instructions that no kernel uses the emulated device's own.</summary>
internal sealed class TestKernels : IKernelSource
{
    private readonly FolderKernelSource own = new(RepositoryPaths.Find("tests/EmulatedDeviceTests/Kernels"));
    private readonly FolderKernelSource repository = new(RepositoryPaths.Find("kernels"));
    private readonly FolderKernelSource emulated = new(RepositoryPaths.Find("tests/EmulatedDevice/include"));

    public static IKernelSource Source { get; } = new TestKernels();

    public string Description => $"{own.Description} and {repository.Description}";

    public string? Read(string path) => own.Read(path) ?? repository.Read(path) ?? emulated.Read(path);
}
