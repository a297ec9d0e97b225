using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Kernels beside the program are used without compilation.</summary>
public sealed class ShippedKernelTests(GpuDevice device)
{
    private static readonly string beside = Path.Combine(AppContext.BaseDirectory, "cubins");

    [Theory]
    [InlineData("bench", "decode", "--device", "cuda", "--tokens", "1", "--steps", "1", "--samples", "1", "--model")]
    [InlineData("bench", "kernels", "--quick", "--filter", "select_patches", "--model")]
    public void Shipped_kernels_are_not_compiled_again(params string[] command)
    {
        Assert.NotNull(device.Context);
        if (Path.Exists(beside))
            Assert.Skip($"{beside} exists already");
        string full = DeviceLibraries.KernelCache(), empty = Directory.CreateTempSubdirectory("xc2-shipped-").FullName;
        string[] words = [.. command, RepositoryPaths.Find("tools/demo/checkpoint")];
        try
        {
            Run(full, words);
            Directory.CreateSymbolicLink(beside, Path.Combine(full, "cubins"));
            Run(empty, words);
            Assert.Empty(Directory.EnumerateFiles(empty, "*.cubin", SearchOption.AllDirectories));
            Directory.Delete(beside);
            Run(empty, words);
            Assert.NotEmpty(Directory.EnumerateFiles(empty, "*.cubin", SearchOption.AllDirectories));
        }
        finally
        {
            if (Path.Exists(beside))
                Directory.Delete(beside);
            Directory.Delete(empty, recursive: true);
        }
    }

    private static void Run(string cache, string[] words)
    {
        ProgramRun run = ProgramRun.Start(new Dictionary<string, string?> { ["XC2_CACHE"] = cache }, words);
        Assert.True(run.ExitCode == 0, run.All);
    }
}
