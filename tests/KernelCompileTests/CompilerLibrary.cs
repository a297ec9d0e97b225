using System.Diagnostics;
using Xunit;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>The real NVRTC, fetched into artifacts/ where it is missing; tests are skipped, aloud, where it cannot be had.</summary>
internal static class CompilerLibrary
{
    private static readonly TimeSpan fetchLimit = TimeSpan.FromMinutes(5);

    public static Nvrtc Load()
    {
        string path = TestPaths.Repository("artifacts", "nvrtc", "lib", "libnvrtc.so.12");
        if (!File.Exists(path) && Fetch() is { } outcome && !File.Exists(path))
            Assert.Skip($"no kernel was compiled: {path} is not here, and tools/nvrtc/install.sh could not fetch it: {outcome}");
        return Nvrtc.Load(path);
    }

    private static string Fetch()
    {
        if (!OperatingSystem.IsLinux()) return "it needs Debian's apt";
        using Process process = Process.Start(new ProcessStartInfo(TestPaths.Repository("tools", "nvrtc", "install.sh")) { RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (process.WaitForExit(fetchLimit)) return errors.Result.Trim();
        process.Kill(entireProcessTree: true);
        return $"it took over {fetchLimit.TotalMinutes} minutes";
    }
}
