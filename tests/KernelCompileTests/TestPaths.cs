namespace XComposer2.Native.KernelCompileTests;

/// <summary>Finds the repository from the place the test binary runs in.</summary>
internal static class TestPaths
{
    private const string Anchor = "XComposer2.Native.sln";

    /// <summary>The folder with the solution file.</summary>
    public static string RepositoryRoot { get; } = FindRepositoryRoot();

    /// <summary>A path of the repository, whether or not it is there.</summary>
    public static string Repository(params ReadOnlySpan<string> parts) => Path.Combine([RepositoryRoot, .. parts]);

    private static string FindRepositoryRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, Anchor))) return folder.FullName;
        throw new DirectoryNotFoundException($"no folder above the test binary has {Anchor}");
    }
}
