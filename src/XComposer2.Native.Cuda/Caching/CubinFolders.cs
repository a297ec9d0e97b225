namespace XComposer2.Native.Cuda;

/// <summary>Where the cache is.</summary>
internal static class CubinFolders
{
    /// <summary>How every folder of compiled kernels is called.</summary>
    public const string Cubins = "cubins";

    private const string Variable = "XC2_CACHE", Product = "xcomposer2-native";

    /// <summary>The folder to use; null where the system names no place and the user none.</summary>
    public static string? Choose(string? option, Func<string, string?> environment)
    {
        if (option is not null) return option;
        if (environment(Variable) is { Length: > 0 } named) return Path.Combine(named, Cubins);
        string? platform = OperatingSystem.IsWindows() ? environment("LOCALAPPDATA") : UnixCaches(environment);
        return platform is null ? null : Path.Combine(platform, Product, Cubins);
    }

    private static string? UnixCaches(Func<string, string?> environment)
    {
        // The base directory specification: a path that is not absolute does not count.
        if (environment("XDG_CACHE_HOME") is { Length: > 0 } caches && Path.IsPathRooted(caches)) return caches;
        return environment("HOME") is { Length: > 0 } home ? Path.Combine(home, ".cache") : null;
    }
}
