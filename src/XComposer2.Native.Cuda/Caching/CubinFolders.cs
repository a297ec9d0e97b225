namespace XComposer2.Native.Cuda;

/// <summary>Where compiled kernels are kept, and where others may have put some.</summary>
public static class CubinFolders
{
    /// <summary>How every folder of compiled kernels is called.</summary>
    public const string Cubins = "cubins";

    private const string Variable = "XC2_CACHE", ShippedVariable = "XC2_KERNELS", Product = "xcomposer2-native";

    /// <summary>The folder to use; null where the system names no place and the user none.</summary>
    internal static string? Choose(string? option, Func<string, string?> environment)
    {
        if (option is not null) return option;
        if (environment(Variable) is { Length: > 0 } named) return Path.Combine(named, Cubins);
        string? platform = OperatingSystem.IsWindows() ? environment("LOCALAPPDATA") : UnixCaches(environment);
        return platform is null ? null : Path.Combine(platform, Product, Cubins);
    }

    /// <summary>Folders that others filled (<c>xc2 kernels compile --out</c>): the one that is named, and the one beside the program.</summary>
    internal static IReadOnlyList<string> Shipped(Func<string, string?> environment, string programFolder) =>
        environment(ShippedVariable) is { Length: > 0 } named ? [Within(named), Within(programFolder)] : [Within(programFolder)];

    /// <summary>Where <c>xc2 kernels compile</c> puts them in the folder that it is given.</summary>
    public static string Within(string folder) => Path.Combine(folder, Cubins);

    private static string? UnixCaches(Func<string, string?> environment)
    {
        // The base directory specification: a path that is not absolute does not count.
        if (environment("XDG_CACHE_HOME") is { Length: > 0 } caches && Path.IsPathRooted(caches)) return caches;
        return environment("HOME") is { Length: > 0 } home ? Path.Combine(home, ".cache") : null;
    }
}
