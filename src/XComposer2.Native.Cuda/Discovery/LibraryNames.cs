namespace XComposer2.Native.Cuda;

/// <summary>Where the libraries usually are, the best place first.</summary>
internal static class LibraryNames
{
    public static IReadOnlyList<string> Driver => OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1"];

    /// <summary>NVRTC 13 and 12: by the loader, then in the folders where it is kept.</summary>
    public static IEnumerable<string> Compiler(CompilerFolders folders, bool isWindows)
    {
        string[] names = isWindows ? ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll"] : ["libnvrtc.so.13", "libnvrtc.so.12"];
        return names.Concat(folders.All().SelectMany(folder => names.Select(name => Path.Combine(folder, name))).Where(File.Exists));
    }

    /// <summary>What to look for beside an NVRTC that was found outside of the loader's path: it opens this library by name.</summary>
    public static string CompilerBuiltins => OperatingSystem.IsWindows() ? "nvrtc-builtins64_*.dll" : "libnvrtc-builtins.so.*";
}
