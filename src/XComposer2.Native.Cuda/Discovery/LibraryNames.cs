namespace XComposer2.Native.Cuda;

/// <summary>Where the libraries usually are, the best place first.</summary>
internal static class LibraryNames
{
    public static IReadOnlyList<string> Driver => OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1"];

    /// <summary>NVRTC 13 and 12: by the loader, then beside the program, in toolkit folders, and in a checkout.</summary>
    public static IEnumerable<string> Compiler(Func<string, string?> environment, string programFolder)
    {
        string[] names = OperatingSystem.IsWindows() ? ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll"] : ["libnvrtc.so.13", "libnvrtc.so.12"];
        IEnumerable<string> folders = [programFolder, .. ToolkitFolders(environment), .. CheckoutFolders(programFolder)];
        return names.Concat(folders.SelectMany(folder => names.Select(name => Path.Combine(folder, name))).Where(File.Exists));
    }

    /// <summary>What to look for beside an NVRTC that was found outside of the loader's path: it opens this library by name.</summary>
    public static string CompilerBuiltins => OperatingSystem.IsWindows() ? "nvrtc-builtins64_*.dll" : "libnvrtc-builtins.so.*";

    /// <summary>For people: what <see cref="Compiler"/> looks through beyond the loader.</summary>
    public static string CompilerPlaces => OperatingSystem.IsWindows()
        ? "the program's folder, %CUDA_PATH% and CUDA under Program Files"
        : "the program's folder, $CUDA_HOME, $CUDA_PATH, $CONDA_PREFIX, /usr/local/cuda*, /opt/cuda and artifacts/nvrtc/lib of a checkout";

    private static IEnumerable<string> ToolkitFolders(Func<string, string?> environment)
    {
        string?[] named = [environment("CUDA_HOME"), environment("CUDA_PATH"), environment("CONDA_PREFIX")];
        IEnumerable<string> roots = named.OfType<string>().Where(root => root.Length > 0);
        if (OperatingSystem.IsWindows())
        {
            string toolkits = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "NVIDIA GPU Computing Toolkit", "CUDA");
            return roots.Concat(Versions(toolkits, "v*")).SelectMany(root => new[] { Path.Combine(root, "bin", "x64"), Path.Combine(root, "bin") });
        }
        return roots.Append("/usr/local/cuda").Concat(Versions("/usr/local", "cuda-*")).Append("/opt/cuda")
            .SelectMany(root => new[] { Path.Combine(root, "lib64"), Path.Combine(root, "lib") });
    }

    private static IEnumerable<string> Versions(string folder, string pattern) =>
        Directory.Exists(folder) ? Directory.GetDirectories(folder, pattern).OrderDescending(StringComparer.Ordinal) : [];

    private static IEnumerable<string> CheckoutFolders(string programFolder)
    {
        for (DirectoryInfo? folder = new(programFolder); folder is not null; folder = folder.Parent)
            yield return Path.Combine(folder.FullName, "artifacts", "nvrtc", "lib");
    }
}
