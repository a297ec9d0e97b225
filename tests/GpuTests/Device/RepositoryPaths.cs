namespace XComposer2.Native.GpuTests;

/// <summary>Finds files of the repository, or beside it, from the place the test binary runs in.</summary>
internal static class RepositoryPaths
{
    private const string Anchor = "XComposer2.Native.sln";

    /// <summary>The folder with the solution file; null where the tests run without a checkout.</summary>
    public static string? Root { get; } = FindRoot();

    /// <summary>A file or folder of the repository.</summary>
    public static string Find(string relativePath) => Path.Combine(
        Root ?? throw new DirectoryNotFoundException($"no folder above {AppContext.BaseDirectory} has {Anchor}"), relativePath);

    private static string? FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, Anchor)))
                return folder.FullName;
        return null;
    }
}
