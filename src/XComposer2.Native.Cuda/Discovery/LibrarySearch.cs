using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>Looks for one library in several places and remembers what became of each. A library named by hand is the only candidate.</summary>
internal sealed class LibrarySearch
{
    private readonly IEnumerable<string> candidates;
    private readonly string? namedBy;
    private readonly List<string> tried = [];

    /// <param name="option">Path or loader name that the caller was given; null for none.</param>
    /// <param name="variable">Environment variable that may name one.</param>
    /// <param name="environment">Reads a variable.</param>
    /// <param name="candidates">Paths and loader names otherwise, the best first.</param>
    public LibrarySearch(string? option, string variable, Func<string, string?> environment, IEnumerable<string> candidates)
    {
        string? value = environment(variable);
        string? named = option ?? (string.IsNullOrWhiteSpace(value) ? null : value);
        namedBy = option is not null ? "an option" : variable;
        IsNamed = named is not null;
        this.candidates = named is null ? candidates : [named];
    }

    /// <summary>An option or the variable names the library.</summary>
    public bool IsNamed { get; }

    /// <summary>For example "tried libcuda.so.1: not found by the loader".</summary>
    public string Outcome => $"tried {(IsNamed ? $"only what {namedBy} names, " : "")}{string.Join("; ", tried)}";

    /// <summary>The candidates that load, each as the caller comes to it.</summary>
    public IEnumerable<LoadedLibrary> Load()
    {
        foreach (string candidate in candidates)
            if (TryLoad(candidate) is { } library) yield return library;
    }

    /// <summary>A library that loaded was of no use.</summary>
    public void Reject(LoadedLibrary library, string why) => tried.Add($"{library.Name}: {why}");

    private LoadedLibrary? TryLoad(string candidate)
    {
        bool isPath = candidate.AsSpan().ContainsAny('/', '\\');
        if (isPath && !File.Exists(candidate))
        {
            tried.Add($"{candidate}: no such file");
            return null;
        }
        try
        {
            return new LoadedLibrary(candidate, NativeLibrary.Load(isPath ? Path.GetFullPath(candidate) : candidate));
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            tried.Add($"{candidate}: {(isPath ? $"does not load, {FirstLine(failure.Message)}" : "not found by the loader")}");
            return null;
        }
    }

    private static string FirstLine(string text)
    {
        // The loader's own words come first; general advice of the runtime about debugging follows.
        int end = text.AsSpan().IndexOfAny('\r', '\n');
        return end < 0 ? text : text[..end];
    }
}

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
