using System.Diagnostics;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Kernels that lie beside the program are taken, and nothing is compiled.</summary>
public sealed class ShippedKernelTests(GpuDevice device)
{
    private static readonly TimeSpan limit = TimeSpan.FromMinutes(5);

    private static readonly string beside = Path.Combine(AppContext.BaseDirectory, "cubins");

    [Theory]
    [InlineData("bench", "decode", "--device", "cuda", "--tokens", "1", "--steps", "1", "--samples", "1", "--model")]
    [InlineData("bench", "kernels", "--quick", "--filter", "advance_step", "--model")]
    public void Nothing_is_compiled_that_is_there(params string[] command)
    {
        Assert.NotNull(device.Context);
        if (Path.Exists(beside))
            Assert.Skip($"{beside} is there already");
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
        string program = Path.Combine(AppContext.BaseDirectory, "xc2");
        bool isSelfContained = File.Exists(Path.Combine(AppContext.BaseDirectory, "libcoreclr.so"));
        var start = isSelfContained ? new ProcessStartInfo(program, words) : new ProcessStartInfo("dotnet", [program + ".dll", .. words]);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        start.Environment["XC2_CACHE"] = cache;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"it took over {limit.TotalMinutes} minutes");
        }

        Assert.True(process.ExitCode == 0, output.Result + errors.Result);
    }
}
