using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The real NVRTC and driver libraries, downloaded once to artifacts/. Tests are skipped with a message if they are unavailable.</summary>
internal static class NvidiaLibraries
{
    private static readonly TimeSpan fetchLimit = TimeSpan.FromMinutes(5);
    private static readonly Lazy<string> fetched = new(Fetch);

    /// <summary>Also loads its built-in functions: after any test has loaded the library, the loader resolves its bare name, and the library then
    /// does not search its own folder.</summary>
    public static string Compiler
    {
        get
        {
            string library = Find("lib/libnvrtc.so.12");
            foreach (string builtins in Directory.GetFiles(Path.GetDirectoryName(library)!, "libnvrtc-builtins.so.*"))
                NativeLibrary.TryLoad(builtins, out _);
            return library;
        }
    }

    public static string Driver => Find("driver/libcuda.so.1");

    private static string Find(string file)
    {
        string path = Path.Combine(TestPaths.RepositoryRoot, "artifacts", "nvrtc", file);
        if (File.Exists(path)) return path;
        string outcome = fetched.Value;
        if (!File.Exists(path)) Assert.Skip($"artifacts/nvrtc/{file} is missing and tools/nvrtc/install.sh could not fetch it: {outcome}");
        return path;
    }

    private static string Fetch()
    {
        if (!OperatingSystem.IsLinux()) return "Debian's apt is required";
        using Process process = Process.Start(new ProcessStartInfo(TestPaths.Repository("tools/nvrtc/install.sh"), "--driver") { RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (process.WaitForExit(fetchLimit)) return errors.Result.Trim();
        process.Kill(entireProcessTree: true);
        return $"timeout after {fetchLimit.TotalMinutes} minutes";
    }
}
